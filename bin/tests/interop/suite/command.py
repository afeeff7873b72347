"""Runs other programs, bounded in time and away from the user's configuration."""

import os
import subprocess
from dataclasses import dataclass

# Nothing here takes longer than a few seconds on a machine that is idle; what hangs is a failure.
SECONDS = 300


class Failed(Exception):
    """A command that had to succeed did not."""


@dataclass(frozen=True)
class Result:
    """What a program did."""

    code: int
    out: str
    err: str

    @property
    def ok(self):
        return self.code == 0

    def message(self):
        """What it said, on one line."""
        return " ".join((self.err.strip() or self.out).split())[-2000:] or f"exit {self.code}"


def environment(home):
    """Variables for programs of the suite.

    A CI runner offers identities and proxies, a developer has credentials and
    caches; neither may change what is measured, so little is passed on.
    """
    kept = {name: os.environ[name] for name in ("PATH", "TMPDIR") if name in os.environ}
    return kept | {"HOME": str(home), "LANG": "C.UTF-8", "NO_COLOR": "1", "COLUMNS": "1000"}


def run(*argv, home, folder=None):
    """Runs a program to its end; a program that hangs has failed."""
    argv = [str(argument) for argument in argv]
    try:
        done = subprocess.run(
            argv,
            cwd=folder or home,
            env=environment(home),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Result(-1, "", f"no end after {SECONDS} s")
    return Result(done.returncode, done.stdout, done.stderr)


def need(*argv, home, folder=None):
    """As `run`, for what has to succeed: its standard output."""
    result = run(*argv, home=home, folder=folder)
    if not result.ok:
        raise Failed(f"exit {result.code}: {' '.join(str(argument) for argument in argv)}\n{result.message()}")
    return result.out
