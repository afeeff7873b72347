"""Trust roots and signing configs of a run, written by cosign: what its users have."""

import json
from pathlib import Path

from .command import need
from .paths import BIN

CT_ORIGIN = "ctlog.interop.test"
# Older than every key, so that no clock in the way can make evidence too young.
START = "2026-01-01T00:00:00Z"
OPERATOR = "interop.test"


def make(lab):
    (lab.folder / "trust").mkdir()
    trusted_root(lab, "keys", lab.trusted_root)
    trusted_root(lab, "other-keys", lab.other_root)
    for log, api in (("rekor-v2", 2), ("rekor-v1", 1)):
        signing_config(lab, log, api)
        client_trust_config(lab, log)


def client_trust_config(lab, log):
    """Root and config in one file, as sigstore-python wants them."""
    both = {
        "mediaType": "application/vnd.dev.sigstore.clienttrustconfig.v0.1+json",
        "trustedRoot": json.loads(Path(lab.trusted_root).read_text()),
        "signingConfig": json.loads(Path(lab.signing_config(log)).read_text()),
    }
    lab.client_trust_config(log).write_text(json.dumps(both))


def trusted_root(lab, keys, out):
    keys = lab.folder / keys
    need(
        *(BIN / "cosign", "trusted-root", "create", "--out", out),
        *("--fulcio", f"url={lab.url('fulcio')},certificate-chain={keys}/fulcio-chain.pem,start-time={START}"),
        *("--ctfe", f"url={lab.url('ctlog')},public-key={keys}/ctlog.pub,start-time={START},origin={CT_ORIGIN}"),
        *("--rekor", f"url={lab.url('rekor-v2')},public-key={keys}/rekor2.pub,start-time={START},origin=localhost"),
        *("--rekor", f"url={lab.url('rekor-v1')},public-key={keys}/rekor1.pub,start-time={START}"),
        *("--tsa", f"url={lab.url('tsa')}/api/v1/timestamp,certificate-chain={keys}/tsa-chain.pem,start-time={START}"),
        home=lab.home,
    )


def signing_config(lab, log, api):
    def service(url, version=1):
        return f"url={url},api-version={version},start-time={START},operator={OPERATOR}"

    need(
        *(BIN / "cosign", "signing-config", "create", "--out", lab.signing_config(log)),
        *("--fulcio", service(lab.url("fulcio"))),
        *("--oidc-provider", service(lab.email.issuer)),
        *("--rekor", service(lab.url(log), api), "--rekor-config", "ANY"),
        *("--tsa", service(f"{lab.url('tsa')}/api/v1/timestamp"), "--tsa-config", "ANY"),
        home=lab.home,
    )
