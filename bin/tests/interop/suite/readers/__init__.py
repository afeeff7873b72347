"""Who verifies: one file each.

A reader has a `name`, and `read(place, image, kind, format, digest)`, which
gives the `Result` of its program.
"""

from ..command import Result


def each(documents, verify):
    """Verifies every piece of evidence; the first one that does not hold is the result."""
    result = Result(1, "", "nothing is attached")
    for document in documents:
        result = verify(document)
        if not result.ok:
            break
    return result
