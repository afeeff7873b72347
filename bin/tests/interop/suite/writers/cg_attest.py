"""cg-attest: one command for an image and its platforms, into registries and layouts."""

import json

from ..command import need
from ..images import predicate
from ..paths import OURS
from ..signers import signer

name = "cg-attest"
LAYOUTS = True

FLAGS = {"spdx": "--sbom", "slsa": "--provenance"}


def write(place, image, kind, format):
    lab = place.lab
    base = lab.work / f"{place.where}-{format}-{kind}-{image.index.removeprefix('sha256:')}"
    token = base.with_suffix(".token")
    token.write_text(signer(lab, kind).token())
    log = "rekor-v1" if format == "legacy" else format.removeprefix("bundle-")
    argv = [OURS, "sign" if kind == "signature" else "attest", "--yes", "--identity-token-file", token]
    argv += ["--signing-config", lab.signing_config(log), "--trusted-root", lab.trusted_root]
    argv += ["--signature-format", "legacy" if format == "legacy" else "bundle"]
    if kind != "signature":
        for platform, digest in image.platforms.items():
            file = base.with_suffix(f".{platform.replace('/', '-')}.json")
            file.write_text(json.dumps(predicate(kind, digest)))
            argv += [f"{FLAGS[kind]}={platform}={file}"]
    need(*argv, f"{place.ours}@{image.index}", home=lab.home)
