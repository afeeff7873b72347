"""cosign."""

from ..command import run
from ..paths import BIN
from ..signers import signer

name = "cosign"

TYPES = {"spdx": "spdxjson", "slsa": "slsaprovenance1"}


def read(place, image, kind, format, digest):
    lab, who = place.lab, signer(place.lab, kind)
    argv = ["verify"] if kind == "signature" else ["verify-attestation", "--type", TYPES[kind]]
    argv += ["--certificate-identity", who.identity, "--certificate-oidc-issuer", who.issuer]
    argv += ["--trusted-root", lab.trusted_root]
    argv += ["--local-image", place.name] if place.is_layout else [f"{place.name}@{digest}"]
    return run(BIN / "cosign", *argv, home=lab.home)
