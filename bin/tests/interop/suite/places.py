"""Where images and their evidence lie, and oras, with which the suite reaches it.

oras works on registries and layouts alike; it copies images, attaches bundles
that were written to files, and fetches evidence for readers without a registry
client.
"""

import json
from dataclasses import dataclass

from .command import need
from .images import KINDS
from .lab import Lab
from .paths import BIN

OLAREG = "olareg"
DOCKER = "docker-registry"
LAYOUT = "layout"
WHERE = (OLAREG, DOCKER, LAYOUT)
SANDBOX = "sandbox"

BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json"


@dataclass(frozen=True)
class Place:
    """One repository of a registry, or one layout folder."""

    lab: Lab
    where: str
    repository: str

    @property
    def is_layout(self):
        return self.where == LAYOUT

    @property
    def name(self):
        """As clients take it, without tag and digest."""
        if self.is_layout:
            return str(self.lab.work / "layouts" / self.repository)
        return f"{self.lab.registry(self.where)}/{self.repository}"

    @property
    def ours(self):
        """As cg-attest takes it."""
        return f"oci:{self.name}" if self.is_layout else self.name

    def beside(self, suffix):
        """Another repository at the same place."""
        return Place(self.lab, self.where, self.repository + suffix)

    def oras(self, *argv):
        flag = "--oci-layout" if self.is_layout else "--plain-http"
        return need(BIN / "oras", *argv, flag, home=self.lab.home)

    def flags(self, side):
        return f"--{side}-oci-layout" if self.is_layout else f"--{side}-plain-http"


def push(image, place):
    """Brings an image to a place, as `latest`."""
    place.lab.work.joinpath("layouts").mkdir(exist_ok=True)
    source = ["--from-oci-layout", f"{image.folder}:latest"]
    need(
        *(BIN / "oras", "cp", *source, place.flags("to"), f"{place.name}:latest"),
        home=place.lab.home,
    )


def copy(source, tag, target, new_tag, *flags):
    """Copies what a tag names; with `-r` and everything that is attached to it."""
    need(
        *(BIN / "oras", "cp", *flags, source.flags("from"), f"{source.name}:{tag}"),
        *(target.flags("to"), f"{target.name}:{new_tag}"),
        home=source.lab.home,
    )


def copy_legacy(source, image, target, other=None):
    """Copies the tags of the legacy format; to those of another image, if one is given."""
    for kind in KINDS[:2]:  # spdx and slsa share a tag
        for digest, new in zip(image.targets(kind), (other or image).targets(kind), strict=True):
            copy(source, legacy_tag(kind, digest), target, legacy_tag(kind, new))


def attach(place, digest, bundle, predicate_type):
    """Attaches a bundle in a file, as a referrer of what the digest names."""
    content = "dsse-envelope" if predicate_type else "message-signature"
    annotations = ["--annotation", f"dev.sigstore.bundle.content={content}"]
    if predicate_type:
        annotations += ["--annotation", f"dev.sigstore.bundle.predicateType={predicate_type}"]
    flags = ["--artifact-type", BUNDLE, "--disable-path-validation", *annotations]
    place.oras("attach", *flags, f"{place.name}@{digest}", f"{bundle}:{BUNDLE}")


def bundles(place, digest):
    """The bundles attached to what the digest names."""
    listing = json.loads(place.oras("discover", "--format", "json", "--depth", "1", f"{place.name}@{digest}"))
    for referrer in listing.get("referrers") or []:
        manifest = json.loads(place.oras("manifest", "fetch", f"{place.name}@{referrer['digest']}"))
        yield from layers(place, manifest)


def legacy_tag(kind, digest):
    """Where the legacy format puts a kind of evidence."""
    return f"{digest.replace(':', '-')}.{'sig' if kind == 'signature' else 'att'}"


def legacy_layers(place, kind, digest):
    manifest = json.loads(place.oras("manifest", "fetch", f"{place.name}:{legacy_tag(kind, digest)}"))
    yield from layers(place, manifest)


def layers(place, manifest):
    for layer in manifest["layers"]:
        yield place.oras("blob", "fetch", "--output", "-", f"{place.name}@{layer['digest']}")
