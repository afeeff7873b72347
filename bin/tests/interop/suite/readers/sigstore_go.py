"""sigstore-go, through the small command in `go/sigstore-go`."""

from ..command import run
from ..paths import BIN
from ..signers import signer
from . import each
from .files import candidates

name = "sigstore-go"


def read(place, image, kind, format, digest):
    lab, who = place.lab, signer(place.lab, kind)
    flags = ["--trusted-root", lab.trusted_root, "--identity", who.identity, "--issuer", who.issuer, "--digest", digest]
    return each(
        candidates(place, kind, format, digest),
        lambda file: run(BIN / "sigstore-go", *flags, file, home=lab.home),
    )
