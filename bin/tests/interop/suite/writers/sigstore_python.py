"""sigstore-python: bundles in files, attached with oras.

Its command signs files and makes provenance. For SPDX its library is called,
because `sigstore attest` knows the predicate types of SLSA only.
"""

import json

from .. import places
from ..command import need
from ..images import PREDICATES, predicate
from ..paths import BIN, HERE, INTEROP
from ..signers import signer
from . import Unsupported

name = "sigstore-python"
LAYOUTS = True


def write(place, image, kind, format):
    if format == "legacy":
        raise Unsupported("no option for the legacy format")
    for digest in image.targets(kind):
        sign(place, image, kind, format, digest)


def sign(place, image, kind, format, digest):
    lab = place.lab
    bundle = lab.work / f"{place.where}-{format}-{kind}-{digest.removeprefix('sha256:')}.json"
    config = lab.client_trust_config(format.removeprefix("bundle-"))
    token = signer(lab, kind).token()
    document = bundle.with_suffix(".predicate")
    document.write_text(json.dumps(predicate(kind, digest)))
    sigstore = [BIN / "sigstore-python", "--trust-config", config]
    flags = ["--identity-token", token, "--bundle", bundle]
    manifest = image.manifest(digest)
    if kind == "signature":
        need(*sigstore, "sign", *flags, manifest, home=lab.home)
    elif kind == "slsa":
        types = ["--predicate", document, "--predicate-type", PREDICATES[kind]]
        need(*sigstore, "attest", *flags, *types, manifest, home=lab.home)
    else:
        python = INTEROP / "venv" / "bin" / "python"
        script = HERE / "suite" / "writers" / "sigstore_python_library.py"
        need(python, "-B", script, config, token, digest, PREDICATES[kind], document, bundle, home=lab.home)
    places.attach(place, digest, bundle, PREDICATES.get(kind))
