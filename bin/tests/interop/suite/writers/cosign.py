"""cosign: bundles with either log, and the legacy format."""

import json

from ..command import need
from ..images import predicate
from ..paths import BIN
from ..signers import signer

name = "cosign"
LAYOUTS = False

TYPES = {"spdx": "spdxjson", "slsa": "slsaprovenance1"}


def write(place, image, kind, format):
    for digest in image.targets(kind):
        sign(place, kind, format, digest)


def sign(place, kind, format, digest):
    lab = place.lab
    base = lab.work / f"{place.where}-{format}-{kind}-{digest.removeprefix('sha256:')}"
    # In a file: cosign knows a token on its command line by the algorithm, and takes others for a path.
    token = base.with_suffix(".token")
    token.write_text(signer(lab, kind).token())
    argv = [BIN / "cosign", "sign" if kind == "signature" else "attest", "--yes", "--identity-token", token]
    if format == "legacy":
        argv += ["--new-bundle-format=false", "--use-signing-config=false"]
        argv += ["--fulcio-url", lab.url("fulcio"), "--rekor-url", lab.url("rekor-v1")]
    else:
        log = format.removeprefix("bundle-")
        argv += ["--signing-config", lab.signing_config(log), "--trusted-root", lab.trusted_root]
    if kind != "signature":
        file = base.with_suffix(".json")
        file.write_text(json.dumps(predicate(kind, digest)))
        argv += ["--type", TYPES[kind], "--predicate", file]
    need(*argv, f"{place.name}@{digest}", home=lab.home)
