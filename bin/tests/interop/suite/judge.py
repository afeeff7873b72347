"""Whether what was measured is what is expected and documented."""

import difflib
from dataclasses import dataclass

from . import known


@dataclass(frozen=True)
class Verdict:
    """`problems` fail the suite, `warnings` do not."""

    problems: list
    warnings: list
    can_be_written: bool
    summary: str


def judge(cells, section, committed):
    unexpected = [
        f"unexpected: {cell}"
        for cell in cells
        if cell.state not in ("ok", "not available") and known.explain(cell) is None
    ]
    unexpected += [f"no cell needs this entry of known.py any more: {entry}" for entry in known.outdated(cells)]
    if not any(cell.reader == "cg-attest" and cell.state == "ok" for cell in cells):
        unexpected.append("cg-attest accepted nothing at all")
    lacking = sorted({cell.message for cell in cells if cell.state == "not available"})
    warnings = [f"not available, so docs/interop.md was not compared: {reason}" for reason in lacking]
    problems = list(unexpected)
    if section != committed and not lacking:
        difference = "\n".join(
            difflib.unified_diff(
                committed.splitlines(), section.splitlines(), "docs/interop.md", "measured", lineterm=""
            )
        )
        # A peer of another version, Debian's for instance, may behave differently.
        if versions(section) == versions(committed):
            problems.append(f"docs/interop.md is not what was measured (`--write` writes it):\n{difference}")
        else:
            warnings.append(f"the versions are not those of docs/interop.md (`--write` takes this over):\n{difference}")
    ok = sum(cell.state == "ok" for cell in cells)
    absent = sum(cell.state == "not available" for cell in cells)
    summary = f"{len(cells)} cells: {ok} ok, {len(cells) - ok - absent} with a reason, {absent} not available"
    return Verdict(problems, warnings, not unexpected and not lacking, summary)


def versions(section):
    """The line of a section that says what it was measured with."""
    return section.partition("\n")[0]
