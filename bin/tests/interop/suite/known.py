"""What is known not to work, and why: the only reasons that the matrix accepts.

It is strict both ways. A cell that is not ok and fits no entry fails the suite;
so does an entry that no cell needs any more.
"""

from dataclasses import dataclass

BUNDLES = ("bundle-rekor-v2", "bundle-rekor-v1")
REGISTRIES = ("olareg", "docker-registry", "sandbox")


@dataclass(frozen=True)
class Known:
    """Cells, by the values of their fields, and why they are not ok.

    `says` is what the program `who` says then; it is empty where a program has
    no way to be asked.
    """

    who: str
    says: str
    because: str
    cells: dict

    def __str__(self):
        return f"{self.who}: “{self.says}”: {self.because}." if self.says else f"{self.who}: {self.because}."

    def covers(self, cell):
        return all(getattr(cell, name, None) in values for name, values in self.cells.items())


KNOWN = (
    Known(
        "sigstore-python",
        "subject.0.name Field required",
        "it wants a name for every subject of a statement; cosign signs images without",
        {"writer": ["cosign"], "reader": ["sigstore-python"], "kind": ["signature"], "format": BUNDLES},
    ),
    Known(
        "sigstore-python",
        "Input should be 'https://in-toto.io/Statement/v1'",
        "it reads statements of version 1 only; cosign attests in version 0.1",
        {"writer": ["cosign"], "reader": ["sigstore-python"], "kind": ["spdx", "slsa"], "format": BUNDLES},
    ),
    Known(
        "cosign",
        "bundle does not contain a DSSE envelope",
        "it wants the signature of an image to be a statement; this one is over the manifest itself",
        {"writer": ["sigstore-python"], "reader": ["cosign"], "kind": ["signature"], "where": REGISTRIES},
    ),
    Known(
        "cosign",
        "must verify either an image index or image",
        "it reads layouts that `cosign save` made, and no others",
        {"reader": ["cosign"], "where": ["layout"]},
    ),
    Known(
        "sigstore-go",
        'unknown field "critical"',
        "it reads bundles only",
        {"reader": ["sigstore-go"], "format": ["legacy"], "kind": ["signature"]},
    ),
    Known(
        "sigstore-go",
        'unknown field "payload"',
        "it reads bundles only",
        {"reader": ["sigstore-go"], "format": ["legacy"], "kind": ["spdx", "slsa"]},
    ),
    Known(
        "sigstore-python",
        "Extra inputs are not permitted",
        "it reads bundles only",
        {"reader": ["sigstore-python"], "format": ["legacy"]},
    ),
    Known(
        "sigstore-python",
        "",
        "it writes bundles only, so there is nothing to read",
        {"writer": ["sigstore-python"], "format": ["legacy"]},
    ),
    Known(
        "crane",
        "signature: refuse: no-signature",
        "it copies what a name leads to and no referrers; tags keep their names on the way to a registry only",
        {"carrier": ["crane"], "reader": ["cg-attest"]},
    ),
    Known(
        "crane",
        "signature: Error: no signatures found",
        "as before: crane left the evidence behind",
        {"carrier": ["crane"], "reader": ["cosign"]},
    ),
    Known(
        "regctl",
        "signature: refuse: no-signature",
        "it looks for referrers in a layout by their fallback tags, which oras does not write; its own layouts have them",
        {"carrier": ["regctl"], "route": ["layout → olareg"], "reader": ["cg-attest"], "format": BUNDLES},
    ),
    Known(
        "regctl",
        "signature: Error: no signatures found",
        "as before: regctl did not find the evidence",
        {"carrier": ["regctl"], "route": ["layout → olareg"], "reader": ["cosign"], "format": BUNDLES},
    ),
    Known(
        "cosign",
        "signature: Error: must verify either an image index or image",
        "as above: `cosign save` did not make this layout",
        {"carrier": ["oras", "regctl", "crane"], "route": ["olareg → layout"], "reader": ["cosign"]},
    ),
)


def explain(cell):
    """The entry for a cell that is not ok; None if there is none."""
    for entry in KNOWN:
        if entry.covers(cell) and entry.says in cell.message:
            return entry
    return None


def outdated(cells):
    """Entries that no cell needs, though every cell that they are about was measured."""
    for entry in KNOWN:
        about = [cell for cell in cells if entry.covers(cell)]
        measured = all(cell.state != "not available" for cell in about)
        if measured and not any(explain(cell) is entry for cell in about if cell.state != "ok"):
            yield entry
