"""layers.py CG-ATTEST NUMBERS SYFT WORK: SBOMs of two images, by syft and by cg-attest, in turns.

Prints one line per number, as `compare.py` does; exit 1 when a limit is missed. Times and memory are those of whole
processes (wait4), medians of the runs. The images are made in the folder WORK, once: a Debian system by debootstrap,
which needs root, and 35 packages of apk with a dozen files each.
"""

import json
import multiprocessing
import os
import pathlib
import subprocess
import sys
import tarfile
import tempfile

import sbom
from measure import in_turns, line, process

RUNS = 5
# What may be in memory besides the largest file that has to be read whole, and for every path.
MEMORY, PATH = 64e6, 200

DEBIAN = "python3,perl,git,nodejs,openjdk-17-jre-headless,nginx,curl,ca-certificates"


def debian(root):
    command = ["debootstrap", "--variant=minbase", f"--include={DEBIAN}", "bookworm", root]
    subprocess.run(command, check=True, stdout=sys.stderr)
    for rest in ("proc", "sys", "dev", "var/cache/apt", "var/lib/apt/lists"):
        subprocess.run(["rm", "-rf", root / rest], check=True)


def apk(root):
    database = []
    for package in range(35):
        files = [f"file-{number:02}" for number in range(12)]
        folder = f"usr/share/package-{package:02}"
        for name in files:
            sbom.write(root, f"{folder}/{name}", f"{name} of {folder}\n" * 20)
        lines = [f"P:package-{package:02}", f"V:1.{package}-r0", "A:x86_64", "L:MIT", f"F:{folder}"]
        database += [*lines, *(f"R:{name}" for name in files), ""]
    sbom.write(root, "lib/apk/db/installed", "\n".join([*database, ""]))
    sbom.write(root, "etc/os-release", sbom.SYSTEM)


def image(make, work):
    """The layout of an image, made where it is not there yet."""
    layout = work / make.__name__
    if not (layout / "index.json").exists():
        # In a process of its own: a layer is made in memory, and what this one has had is the least
        # that the kernel says of every process that it starts afterwards.
        making = multiprocessing.Process(target=made, args=(make, layout))
        making.start()
        making.join()
        if making.exitcode != 0:
            sys.exit(f"the image {layout} was not made")
    return layout


def made(make, layout):
    with tempfile.TemporaryDirectory(dir=layout.parent) as root:
        make(pathlib.Path(root))
        layout.mkdir()
        sbom.layout(pathlib.Path(root), layout)


def layer_files(layout):
    """How many entries the layers have, and how large the largest file is that has to be read whole."""
    blob = lambda digest: layout / "blobs" / digest.replace(":", "/")
    document = json.loads((layout / "index.json").read_bytes())
    while "manifests" in document:
        document = json.loads(blob(document["manifests"][0]["digest"]).read_bytes())
    paths, largest = 0, 0
    for layer in document["layers"]:
        with tarfile.open(blob(layer["digest"])) as archive:
            for entry in archive:
                paths += 1
                if not entry.isfile() or entry.size <= largest:
                    continue
                jar = entry.name.endswith((".jar", ".war", ".ear"))
                if jar or archive.extractfile(entry).read(4) == b"\x7fELF":
                    largest = entry.size
    return paths, largest


def both(name, cg_attest, syft, layout, limit):
    environment = {**os.environ, "SYFT_CHECK_FOR_APP_UPDATE": "false"}
    theirs = [syft, "scan", "-q", f"oci-dir:{layout}", "-o", "spdx-json"]
    ours = [cg_attest, "sbom", "--source", "content", "-o", "spdx-json", f"oci:{layout}"]
    (their_time, their_memory), (own_time, own_memory) = in_turns(
        RUNS, lambda: process(theirs, env=environment), lambda: process(ours)
    )
    what = f"sbom of the {name} image"
    yield f"{what}: wall, syft {their_time:.0f} ms, ours {own_time:.0f} ms", own_time / their_time, "<=", limit
    paths, largest = layer_files(layout)
    allowed = (MEMORY + largest + PATH * paths) / 2**20
    yield (
        f"{what}: memory, syft {their_memory:.0f} MiB, ours {own_memory:.0f} of {allowed:.0f} MiB",
        own_memory / allowed,
        "<=",
        1,
    )
    # A process that may not make a file longer than nothing writes none; its output is a pipe.
    forbidden = subprocess.run(["sh", "-c", 'ulimit -f 0; exec "$@"', "sh", *ours], capture_output=True)
    free = subprocess.run(ours, capture_output=True)
    same = forbidden.returncode == free.returncode == 0 and forbidden.stdout == free.stdout
    yield f"{what}: the same document where no file may be written", float(same), ">=", 1


def rate(name, numbers, layout):
    output = subprocess.run([numbers, "layers-of", "time", str(layout)], check=True, capture_output=True, text=True)
    floor, scan, _ = (float(word) for word in output.stdout.split())
    yield f"{name} layers: gunzip and two SHA-256 {floor:.0f} ms, ours {scan:.0f} ms", floor / scan, ">=", 0.6


def main():
    cg_attest, numbers, syft, work = (pathlib.Path(word).resolve() for word in sys.argv[1:])
    work.mkdir(parents=True, exist_ok=True)
    missed = 0
    # The small image first: what this process holds of the large one would be seen in what it starts next.
    benches = (
        both("apk", cg_attest, syft, image(apk, work), 1 / 20),
        both("Debian", cg_attest, syft, image(debian, work), 1 / 4),
        rate("Debian", numbers, image(debian, work)),
    )
    for bench in benches:
        for number in bench:
            missed += not line(*number)
    return missed > 0


if __name__ == "__main__":
    sys.exit(main())
