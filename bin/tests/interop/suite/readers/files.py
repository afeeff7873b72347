"""What readers without a registry client have in common: the suite fetches the evidence for them."""

import base64
import json

from .. import places
from ..images import PREDICATES


def candidates(place, kind, format, digest):
    """Files with the evidence of one kind about one digest."""
    folder = place.lab.work / "fetched" / place.where / place.repository / digest.removeprefix("sha256:")
    folder.mkdir(parents=True, exist_ok=True)
    legacy = format == "legacy"
    documents = places.legacy_layers(place, kind, digest) if legacy else places.bundles(place, digest)
    for n, text in enumerate(documents):
        if legacy or kind == kind_of(text):
            path = folder / f"{kind}-{n}.json"
            path.write_text(text)
            yield path


def kind_of(text):
    """What a bundle says that it is; readers verify it afterwards."""
    bundle = json.loads(text)
    if "dsseEnvelope" not in bundle:
        return "signature"
    statement = json.loads(base64.b64decode(bundle["dsseEnvelope"]["payload"]))
    of = {uri: kind for kind, uri in PREDICATES.items()}
    return of.get(statement["predicateType"], "signature")
