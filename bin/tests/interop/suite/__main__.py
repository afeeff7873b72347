"""The commands `run`, `up` and `down`."""

import argparse
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from . import document, matrix, servers
from .command import Failed
from .judge import judge
from .paths import BIN, HERE, OURS, ROOT, missing, program

SCRIPTS_NEED = ("cosign", "sigstore-go", "sigstore-python", "crane", "rekor-v2", "rekor-v1", "trillian")


def main():
    parser = argparse.ArgumentParser(prog="bin/tests/interop/run", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="measure the matrix and compare it with docs/interop.md")
    run.add_argument("--write", action="store_true", help="write it there instead")
    commands.add_parser("up", help="start the servers; prints the folder of the run")
    down = commands.add_parser("down", help="stop the servers of a run")
    down.add_argument("folder", type=Path)
    arguments = parser.parse_args()
    # Whoever ends the suite also ends its servers.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        if arguments.command == "up":
            print(servers.start().folder)
            return 0
        if arguments.command == "down":
            servers.stop(arguments.folder)
            shutil.rmtree(arguments.folder)
            return 0
        return measure(arguments.write)
    except Failed as error:
        print(f"interop: {error}", file=sys.stderr)
        return 1


def measure(write):
    build = ["cargo", "build", "--locked", "--quiet", "--package", "cg-attest-cli"]
    if subprocess.run(build, cwd=ROOT, check=False).returncode:
        raise Failed("cg-attest was not built")
    lab = servers.start()
    passed = False
    try:
        cells, carried = matrix.measure(lab)
        passed = report(cells, carried, write)
        passed = run_script(HERE / "sign-blob", lab.folder / "env") and passed
        passed = run_script(HERE / "sandbox") and passed
        passed = run_script(HERE / "sbom") and passed
    finally:
        servers.stop(lab.folder)
        if passed:
            shutil.rmtree(lab.folder)
        else:
            print(f"interop: logs and files of the run are in {lab.folder}", file=sys.stderr)
    return 0 if passed else 1


def run_script(*command):
    """Runs a script of checks of its own, which prints what it finds; whether all of them passed."""
    lacking = [f"{name}: {missing(name)}" for name in SCRIPTS_NEED if not program(name)]
    if lacking:
        print(f"interop: WARNING: {command[0].name} was not run; not available:", *lacking, sep="\n  ", file=sys.stderr)
        return True
    print(f"\n{command[0].name}:", flush=True)
    variables = os.environ | {"BIN": str(BIN), "CG_ATTEST": str(OURS)}
    return subprocess.run([str(part) for part in command], cwd=ROOT, env=variables, check=False).returncode == 0


def report(cells, carried, write):
    """Prints the matrix and what is wrong with it; whether nothing is."""
    section = document.render(cells, carried)
    print(section)
    everything = [*cells, *carried]
    verdict = judge(everything, section, document.committed())
    if write and verdict.can_be_written:
        document.write(section)
        verdict = judge(everything, section, document.committed())
    for warning in verdict.warnings:
        print(f"interop: WARNING: {warning}", file=sys.stderr)
    for problem in verdict.problems:
        print(f"interop: {problem}", file=sys.stderr)
    print(verdict.summary)
    return not verdict.problems


sys.exit(main())
