"""The matrix as Markdown, in docs/interop.md and on standard output."""

from . import known
from .paths import DOCUMENT, version

BEGIN = "<!-- matrix: written by `bin/tests/interop/run --write` -->"
END = "<!-- end of the matrix -->"

VERSIONS = (
    *("cosign", "sigstore-go", "sigstore-python", "oras", "regctl", "crane"),
    *("fulcio", "rekor-v2", "rekor-v1", "timestamp-server", "ctlog", "trillian", "olareg", "docker-registry"),
)
NAMES = {
    "bundle-rekor-v2": "bundle (Rekor v2)",
    "bundle-rekor-v1": "bundle (Rekor v1)",
    "rekor-v2": "Rekor v2",
    "rekor-v1": "Rekor v1",
    "fulcio": "Fulcio",
    "timestamp-server": "timestamp-authority",
    "ctlog": "TesseraCT",
    "trillian": "Trillian",
    "layout": "OCI layout",
}


def name(key):
    """How a reader of the document knows it; of a route, both ends."""
    return " → ".join(NAMES.get(part, part) for part in key.split(" → "))


class Notes:
    """Footnotes, numbered as they are needed."""

    def __init__(self):
        self.lines = []

    def mark(self, text):
        if text not in self.lines:
            self.lines.append(text)
        return f"[{self.lines.index(text) + 1}]"

    def of(self, cell):
        if cell.state == "ok":
            return "ok"
        if cell.state == "not available":
            return f"not available {self.mark(cell.message)}"
        entry = known.explain(cell)
        if entry is None:
            return f"**FAILED** {self.mark(f'unexpected: {cell.message}')}"
        return self.mark(str(entry))


def render(cells, carried):
    """The section between the markers."""
    notes = Notes()
    versions = ", ".join(f"{name(key)} {version(key)}" for key in VERSIONS)
    lines = [f"Measured with {versions}.", ""]
    for writer in unique(cell.writer for cell in cells):
        lines += [f"### Written by {writer}", ""]
        mine = [cell for cell in cells if cell.writer == writer]
        readers = unique(cell.reader for cell in mine)
        rows = merge(mine, ("format", "where", "kind"), readers, notes)
        lines += [*table(["format", "where", "what", *readers], rows), ""]
    lines += ["### Carried by other programs", ""]
    readers = unique(cell.reader for cell in carried)
    rows = merge(carried, ("carrier", "format", "route", "writer"), readers, notes)
    lines += [*table(["copied by", "format", "route", "written by", *readers], rows), ""]
    lines += [f"{n}. {text}" for n, text in enumerate(notes.lines, 1)]
    return "\n".join(lines) + "\n"


def merge(cells, fields, readers, notes):
    """One row for each combination of the fields; rows that differ in one of the later ones only become one."""
    answers = {}
    for cell in cells:
        row = answers.setdefault(tuple(getattr(cell, field) for field in fields), {})
        row[cell.reader] = notes.of(cell)
    for at in reversed(range(len(fields))[1:]):
        merged = {}
        for key, row in answers.items():
            group = (*key[:at], None, *key[at + 1 :], *(row[reader] for reader in readers))
            merged.setdefault(group, []).append((key, row))
        answers = {
            (*rows[0][0][:at], ", ".join(key[at] for key, _ in rows), *rows[0][0][at + 1 :]): rows[0][1]
            for rows in merged.values()
        }
    for key, row in answers.items():
        yield [*(", ".join(name(part) for part in text.split(", ")) for text in key), *(row[r] for r in readers)]


def table(head, rows):
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"


def unique(values):
    return list(dict.fromkeys(values))


def committed():
    """What the document says now."""
    text = DOCUMENT.read_text()
    return text.split(BEGIN)[1].split(END)[0].strip() + "\n" if BEGIN in text and END in text else ""


def write(section):
    text = DOCUMENT.read_text()
    if BEGIN not in text or END not in text:
        raise ValueError(f"{DOCUMENT} lacks the markers of the matrix")
    before, rest = text.split(BEGIN)
    after = rest.split(END)[1]
    DOCUMENT.write_text(f"{before}{BEGIN}\n\n{section}\n{END}{after}")
