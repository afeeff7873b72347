"""Who copies an image with its evidence: what was copied is verified again."""

import itertools
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from . import places
from .command import Failed, need
from .images import KINDS
from .paths import BIN, missing, program
from .places import DOCKER, LAYOUT, OLAREG, Place
from .readers import cg_attest, cosign

ROUTES = ((OLAREG, OLAREG), (OLAREG, DOCKER), (DOCKER, OLAREG), (OLAREG, LAYOUT), (LAYOUT, OLAREG))
READERS = (cg_attest, cosign)


@dataclass(frozen=True)
class Carried:
    """One copy and what a reader says to it."""

    writer: str
    carrier: str
    route: str
    format: str
    reader: str
    state: str
    message: str = ""


def oras(source, target, image, format):
    places.copy(source, "latest", target, "latest", "--recursive")
    if format == "legacy":
        places.copy_legacy(source, image, target)


def regctl(source, target, image, format):
    hosts = []
    for place in (source, target):
        if not place.is_layout:
            hosts += ["--host", f"reg={place.lab.registry(place.where)},tls=disabled"]
    names = [f"ocidir://{place.name}" if place.is_layout else place.name for place in (source, target)]
    need(
        *(BIN / "regctl", *hosts, "image", "copy", "--referrers", "--digest-tags"),
        *(f"{name}:latest" for name in names),
        home=source.lab.home,
    )


def crane(source, target, image, format):
    def crane(*argv):
        need(BIN / "crane", *argv, home=source.lab.home)

    if target.is_layout:
        crane("pull", "--format", "oci", f"{source.name}:latest", target.name)
    elif source.is_layout:
        # All that the folder lists, under an index of its own.
        crane("push", "--index", source.name, f"{target.name}:latest")
    else:
        tags = ["latest"]
        if format == "legacy":
            tags += [places.legacy_tag(kind, digest) for kind in KINDS[:2] for digest in image.targets(kind)]
        for tag in tags:
            crane("copy", f"{source.name}:{tag}", f"{target.name}:{tag}")


CARRIERS = {"oras": oras, "regctl": regctl, "crane": crane}


def measure(lab, samples):
    """Copies what was written along every route and verifies the copy."""
    jobs = list(itertools.product(CARRIERS, ROUTES, samples))
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        done = pool.map(lambda job: one(lab, *job, samples[job[2]].get(job[1][0])), jobs)
        return list(itertools.chain.from_iterable(done))


def one(lab, carrier, route, written, sample):
    """One copy: along a route (from, to), of what was written (by whom, in which format)."""
    source, target = route
    writer, format = written

    def cell(reader, state, message=""):
        return Carried(writer, carrier, f"{source} → {target}", format, reader.name, state, message)

    for needed in (carrier, OLAREG if target == LAYOUT else target):
        if not program(needed):
            return [cell(reader, "not available", f"{needed}: {missing(needed)}") for reader in READERS]
    if sample is None:
        return [cell(reader, "not available", f"nothing was written to {source}") for reader in READERS]
    place = Place(lab, target, f"{sample.place.repository}-by-{carrier}-from-{source}")
    try:
        CARRIERS[carrier](sample.place, place, sample.image, format)
    except Failed as error:
        return [cell(reader, "refused", str(error)) for reader in READERS]
    return [cell(reader, *verify(reader, place, sample.image, format)) for reader in READERS]


def verify(reader, place, image, format):
    """Whether a reader finds and accepts every kind of evidence in the copy."""
    for kind in KINDS:
        for digest in image.targets(kind):
            result = reader.read(place, image, kind, format, digest)
            if not result.ok:
                return "refused", f"{kind}: {result.message()}"
    return "ok", ""
