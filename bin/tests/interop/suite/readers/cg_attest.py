"""cg-attest: the program of this repository."""

import json

from ..command import Result, run
from ..paths import OURS
from ..signers import signer

name = "cg-attest"


def read(place, image, kind, format, digest):
    return verify(place, image.index, kind).result


class Answer:
    """What `cg-attest verify` answered."""

    def __init__(self, result):
        self.code = result.code
        try:
            self.report = json.loads(result.out)
        except ValueError:
            self.report = {"verdict": None, "cells": []}
        self.reasons = sorted({cell["code"] for cell in self.report["cells"] if cell["code"]})
        accepted = result.ok and self.report["verdict"] == "accept"
        said = f"{self.report['verdict']}: {', '.join(self.reasons)}" if self.report["verdict"] else result.message()
        self.result = Result(0 if accepted else result.code or 1, result.out, said)


def verify(place, digest, kind, identity=None, trusted_root=None):
    """Verifies what the digest names and all its platforms."""
    lab, who = place.lab, signer(place.lab, kind)
    argv = [OURS, "verify", "--output", "json", "--require", kind]
    argv += ["--identity", identity or who.identity, "--issuer", who.issuer]
    argv += ["--trusted-root", trusted_root or lab.trusted_root]
    return Answer(run(*argv, f"{place.ours}@{digest}", home=lab.home))
