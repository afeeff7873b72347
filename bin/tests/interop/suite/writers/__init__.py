"""Who signs: one file each.

A writer has a `name`, says with `LAYOUTS` whether it writes to OCI layouts (else
what it wrote to a registry is copied there), and has `write(place, image, kind,
format)`, which signs or attests the image and attaches that. What it has no way
to do it says by raising `Unsupported`.
"""


class Unsupported(Exception):
    """The writer has nothing for this; the text says so to readers of the matrix."""
