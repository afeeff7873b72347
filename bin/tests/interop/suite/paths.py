"""Where things are."""

import os
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
ROOT = HERE.parents[2]
TARGET = Path(os.environ.get("CARGO_TARGET_DIR") or ROOT / "target").resolve()

INTEROP = TARGET / "interop"
BIN = INTEROP / "bin"
RUNS = INTEROP / "runs"
OURS = TARGET / "debug" / "cg-attest"
DOCUMENT = ROOT / "docs" / "interop.md"


def program(name):
    """A program that `install` made; None where it could not."""
    path = BIN / name
    return path if path.exists() else None


def missing(name):
    """Why `install` could not make a program."""
    try:
        return (BIN / f"{name}.missing").read_text().strip() or "it could not be installed"
    except FileNotFoundError:
        return "it was not installed"


def version(name):
    """The version that `install` wrote down."""
    if not program(name):
        return "not available"
    return (BIN / f"{name}.version").read_text().strip()
