"""What cg-attest has to refuse: evidence that it accepts, with one thing wrong."""

from . import images, places
from .readers import cg_attest

SOMEBODY_ELSE = "somebody.else@interop.test"

# What an instance of the same shape with other keys lacks first: the time where a
# signed timestamp gives it, else the key of the log.
IDENTITY, ROOT, IMAGE = [["identity-mismatch"]], [["time-untrusted"], ["log-key"]], [["subject-mismatch"]]


def first_accepted(sample, kind, format):
    """The first twin that is not refused for its one reason; empty if all are."""
    lab, index = sample.place.lab, sample.image.index
    other = elsewhere(sample, kind, format)
    by_another = cg_attest.verify(sample.place, index, kind, identity=SOMEBODY_ELSE)
    under_another = cg_attest.verify(sample.place, index, kind, trusted_root=lab.other_root)
    for_another = cg_attest.verify(*other, kind)
    answers = [
        ("another identity", IDENTITY, by_another),
        ("another root", ROOT, under_another),
        ("another image", IMAGE, for_another),
    ]
    for name, wanted, answer in answers:
        if answer.code != 1 or answer.report["verdict"] != "refuse" or answer.reasons not in wanted:
            return f"{name}: wanted exit 1 with one of {wanted}, got exit {answer.code}: {answer.result.message()}"
    return ""


def elsewhere(sample, kind, format):
    """Another image at the same place, with this image's evidence attached to it."""
    place = sample.place.beside(f"-other-{kind}")
    folder = place.lab.work / "images" / f"{place.where}-{place.repository}"
    other = images.make(folder, f"other {place.where} {place.repository}")
    places.push(other, place)
    if format == "legacy":
        places.copy_legacy(sample.place, sample.image, place, other)
    else:
        for digest, new in zip(sample.image.targets(kind), other.targets(kind), strict=True):
            for n, bundle in enumerate(places.bundles(sample.place, digest)):
                file = folder / f"{n}.json"
                file.write_text(bundle)
                # Annotations are hints: without any, the bundle itself has to be read.
                places.attach(place, new, file, None)
    return place, other.index
