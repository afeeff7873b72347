"""Measures who reads what whom wrote."""

import itertools
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from . import carriers, images, places, sandbox, twins
from .command import Failed
from .images import KINDS
from .paths import missing, program
from .places import LAYOUT, OLAREG, SANDBOX, WHERE, Place
from .readers import cg_attest, sigstore_go, sigstore_python
from .readers import cosign as cosign_reader
from .writers import Unsupported, cosign
from .writers import cg_attest as cg_attest_writer
from .writers import sigstore_python as sigstore_python_writer

FORMATS = ("bundle-rekor-v2", "bundle-rekor-v1", "legacy")
WRITERS = (cg_attest_writer, cosign, sigstore_python_writer)
READERS = (cg_attest, cosign_reader, sigstore_go, sigstore_python)

CARRIED = ("cg-attest", "cosign")

OK, REFUSED, UNWRITTEN, UNAVAILABLE = "ok", "refused", "not written", "not available"


@dataclass(frozen=True)
class Cell:
    """One question and its answer."""

    writer: str
    format: str
    where: str
    kind: str
    reader: str
    state: str
    message: str = ""


@dataclass(frozen=True)
class Sample:
    """An image with the evidence that one writer attached in one format."""

    place: Place
    image: images.Image
    unwritten: dict  # kind: why the writer could not


def measure(lab):
    """Every cell of the matrix, and every cell of the table of carriers."""
    cells, samples = ask(lab, WHERE)
    with sandbox.start(lab) as box:
        cells += ask(box, (SANDBOX,))[0]
    return cells, carriers.measure(lab, {key: one for key, one in samples.items() if key[0] in CARRIED})


def ask(lab, wheres):
    """Has every writer write and every reader read; the cells, and what was written."""
    prime(lab, wheres[0])
    jobs = list(itertools.product(WRITERS, FORMATS))
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        done = list(pool.map(lambda job: one_writer(lab, *job, wheres), jobs))
    cells = [cell for measured, _ in done for cell in measured]
    samples = [written for _, written in done]
    return cells, {(writer.name, format): one for (writer, format), one in zip(jobs, samples, strict=True)}


def prime(lab, where):
    """Makes the first entry of each log, which must not depend on what is measured first.

    Writers that leave out zeros leave out its index, and not everybody reads
    that: cg-attest has to.
    """
    for log in FORMATS[:2]:
        if why_not(log, where):
            continue
        image = images.make(lab.work / "images" / f"first-{where}-{log}", f"first of {log}")
        place = Place(lab, where, f"first-{log}")
        places.push(image, place)
        cosign.write(place, image, "signature", log)
        answer = cg_attest.verify(place, image.index, "signature")
        if not answer.result.ok:
            raise Failed(f"the first entry of {log} was not accepted: {answer.result.message()}")


def why_not(format, where):
    """Why a format or a place cannot be had here; empty if it can."""
    logs = {"bundle-rekor-v2": ["rekor-v2"], "bundle-rekor-v1": ["rekor-v1", "trillian"]}
    needed = logs.get(format, logs["bundle-rekor-v1"]) + [OLAREG if where == LAYOUT else where]
    for name in needed if where != SANDBOX else ():
        if not program(name):
            return f"{name}: {missing(name)}"
    return ""


def one_writer(lab, writer, format, wheres):
    """All cells of one writer and format, and what was written where."""
    cells, samples = [], {}
    for where in wheres:
        reason = why_not(format, where)
        if not reason and writer is not cg_attest_writer and not program(writer.name):
            reason = f"{writer.name}: {missing(writer.name)}"
        if reason:
            cells += [
                Cell(writer.name, format, where, kind, reader.name, UNAVAILABLE, reason)
                for kind, reader in itertools.product(KINDS, READERS)
            ]
            continue
        sample = write(lab, writer, format, where, samples.get(OLAREG))
        samples[where] = sample
        cells += read(sample, writer, format, where)
        print(f"measured: {writer.name}, {format}, {where}", file=sys.stderr)
    return cells, samples


def write(lab, writer, format, where, at_olareg):
    """Makes an image and has it signed and attested."""
    place = Place(lab, where, f"{writer.name}-{format}")
    if where == LAYOUT and not writer.LAYOUTS and not at_olareg.unwritten:
        carriers.oras(at_olareg.place, place, at_olareg.image, format)
        return replace(at_olareg, place=place)
    image = images.make(lab.work / "images" / f"{writer.name}-{format}-{where}", f"{writer.name} {format} {where}")
    places.push(image, place)
    unwritten = {}
    for kind in KINDS:
        try:
            writer.write(place, image, kind, format)
        except (Failed, Unsupported) as error:
            unwritten[kind] = str(error)
    return Sample(place, image, unwritten)


def read(sample, writer, format, where):
    for kind, reader in itertools.product(KINDS, READERS):
        cell = Cell(writer.name, format, where, kind, reader.name, OK)
        if kind in sample.unwritten:
            yield replace(cell, state=UNWRITTEN, message=sample.unwritten[kind])
        elif reader is not cg_attest and not program(reader.name):
            yield replace(cell, state=UNAVAILABLE, message=f"{reader.name}: {missing(reader.name)}")
        else:
            refusal = first_refusal(reader, sample, kind, format)
            if not refusal and reader is cg_attest:
                refusal = twins.first_accepted(sample, kind, format)
            yield replace(cell, state=REFUSED, message=refusal) if refusal else cell


def first_refusal(reader, sample, kind, format):
    """What a reader says against the evidence about the index, or about any platform."""
    for digest in sample.image.targets(kind):
        try:
            result = reader.read(sample.place, sample.image, kind, format, digest)
        except Failed as error:
            return str(error)
        if not result.ok:
            return result.message()
    return ""
