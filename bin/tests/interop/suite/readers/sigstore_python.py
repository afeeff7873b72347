"""sigstore-python's command."""

from ..command import run
from ..paths import BIN
from ..signers import signer
from . import each
from .files import candidates

name = "sigstore-python"


def read(place, image, kind, format, digest):
    lab, who = place.lab, signer(place.lab, kind)
    # Either configuration has the trust root of both logs.
    argv = [BIN / "sigstore-python", "--trust-config", lab.client_trust_config("rekor-v2"), "verify", "identity"]
    argv += ["--offline", "--cert-identity", who.identity, "--cert-oidc-issuer", who.issuer]
    return each(
        candidates(place, kind, format, digest),
        lambda file: run(*argv, "--bundle", file, digest, home=lab.home),
    )
