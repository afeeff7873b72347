"""What makes the suite fail, and what does not. `run` begins with these tests."""

import unittest
from dataclasses import replace

from . import document, known
from .carriers import Carried
from .judge import judge
from .matrix import Cell

GREEN = Cell("cosign", "legacy", "olareg", "spdx", "cg-attest", "ok")


def known_cells():
    """One cell for each entry of known.py."""
    cells = []
    for entry in known.KNOWN:
        kind = Carried if "carrier" in entry.cells else Cell
        fields = {name: "any" for name in kind.__dataclass_fields__} | {"state": "refused", "message": entry.says}
        fields |= {name: values[0] for name, values in entry.cells.items()}
        cells.append(kind(**fields))
    return cells


ALL = [GREEN, *known_cells()]


class Judge(unittest.TestCase):
    """Each test differs in one thing from what passes."""

    def verdict(self, cells=ALL, section="versions\nrows\n", committed="versions\nrows\n"):
        return judge(cells, section, committed)

    def test_what_is_expected_and_documented_passes(self):
        verdict = self.verdict()
        self.assertEqual((verdict.problems, verdict.warnings, verdict.can_be_written), ([], [], True))

    def test_a_refusal_without_a_reason_fails(self):
        for message in ("", "something new"):
            verdict = self.verdict([*ALL, replace(GREEN, state="refused", message=message)])
            self.assertEqual(len(verdict.problems), 1)
            self.assertFalse(verdict.can_be_written)

    def test_a_reason_that_nobody_needs_fails(self):
        for missing in known_cells():
            with self.subTest(missing=missing):
                cells = [replace(cell, state="ok") if cell == missing else cell for cell in ALL]
                self.assertEqual(len(self.verdict(cells).problems), 1)

    def test_a_matrix_in_which_we_accept_nothing_fails(self):
        self.assertEqual(len(self.verdict(ALL[1:]).problems), 1)

    def test_another_matrix_than_the_documented_one_fails(self):
        verdict = self.verdict(section="versions\nother rows\n")
        self.assertEqual((len(verdict.problems), verdict.can_be_written), (1, True))

    def test_another_version_than_the_documented_one_is_a_warning(self):
        verdict = self.verdict(section="other versions\nother rows\n")
        self.assertEqual((verdict.problems, len(verdict.warnings)), ([], 1))

    def test_what_is_not_available_is_not_ok_and_not_compared(self):
        absent = replace(GREEN, reader="sigstore-go", state="not available", message="no network")
        verdict = self.verdict([*ALL, absent], section="versions\nother rows\n")
        self.assertEqual((verdict.problems, len(verdict.warnings), verdict.can_be_written), ([], 1, False))
        self.assertIn("not available [1]", document.render([absent], []))


class Document(unittest.TestCase):
    def test_rows_of_one_result_are_one(self):
        other = replace(GREEN, kind="slsa")
        self.assertIn("| legacy | olareg | spdx, slsa | ok |", document.render([GREEN, other], []))
        self.assertIn("| legacy | olareg | spdx | ok |", document.render([GREEN, replace(other, state="refused")], []))

    def test_what_is_unexpected_stands_out(self):
        text = document.render([replace(GREEN, state="refused", message="something new")], [])
        self.assertIn("**FAILED** [1]", text)
        self.assertIn("1. unexpected: something new", text)


if __name__ == "__main__":
    unittest.main()
