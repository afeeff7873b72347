"""compare.py CG-ATTEST NUMBERS: runs programs in turns and prints one line per number, as `numbers` does.

Times and memory are those of whole processes (wait4), medians of the runs; sigstore-go and our own assessor are timed
inside their processes. Exit 1 when a limit is missed. Uses the lab that the variable LAB names.
"""

import itertools
import json
import os
import re
import subprocess
import sys
import tempfile
import urllib.request

import produce
from measure import in_turns, line, process

LAB = os.environ["LAB"]
TRUST = os.path.join(LAB, "trust", "trusted_root.json")
IMAGES = os.path.join(LAB, "work", "many.txt")
DIRECT, SLOW = "localhost:5000", "localhost:5050"  # SLOW takes 50 ms for every request
IDENTITY, ISSUER = "dev@example.test", "http://127.0.0.1:5556/email"
COSIGN = ["--certificate-identity", IDENTITY, "--certificate-oidc-issuer", ISSUER, "--trusted-root", TRUST]
OURS = ["--identity", IDENTITY, "--issuer", ISSUER, "--trusted-root", TRUST]


def get(path, accept="*/*"):
    request = urllib.request.Request(f"http://{DIRECT}/v2/{path}", headers={"Accept": accept})
    with urllib.request.urlopen(request) as answer:
        return answer.headers, answer.read()


def digest(name):
    headers, _ = get(f"{name}/manifests/v1", "application/vnd.oci.image.manifest.v1+json")
    return headers["Docker-Content-Digest"]


def largest_bundle(name, subject):
    """The largest bundle that refers to an image."""
    _, listing = get(f"{name}/referrers/{subject}")
    layers = []
    for entry in json.loads(listing)["manifests"]:
        _, manifest = get(f"{name}/manifests/{entry['digest']}", entry["mediaType"])
        layers += json.loads(manifest)["layers"]
    layer = max(layers, key=lambda layer: layer["size"])
    return get(f"{name}/blobs/{layer['digest']}")[1]


def twenty_attestations(cg_attest):
    image = f"{SLOW}/bench-20@{digest('bench-20')}"
    cosign = [f"{LAB}/bin/cosign", "verify-attestation", "--type", "spdxjson", *COSIGN, image]
    ours = [cg_attest, "verify", "--require", "spdx", "--all", *OURS, image]
    (theirs, their_memory), (own, own_memory) = in_turns(5, lambda: process(cosign), lambda: process(ours))
    what = "20 attestations of 460 kB, 50 ms"
    yield f"{what}: wall, cosign {theirs:.0f} ms, ours {own:.0f} ms", theirs / own, ">=", 12
    yield f"{what}: memory, cosign {their_memory:.0f} MiB, ours {own_memory:.0f} MiB", own_memory / their_memory, "<=", 1 / 3


def two_hundred_images(cg_attest):
    with open(IMAGES) as listed:
        images = [line.replace(DIRECT, SLOW) for line in listed] * 10
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.writelines(images)
        file.flush()

        def cosign():
            with open(file.name) as stdin:
                return process(["xargs", "-P2", "-n1", f"{LAB}/bin/cosign", "verify", *COSIGN], stdin)

        def ours(*more):
            return process([cg_attest, "verify", "--require", "signature", *more, *OURS, "--images", file.name])

        jobs = (ours, lambda: ours("--all"))
        before = in_turns(3, *jobs)
        theirs = cosign()[0]
        after = in_turns(3, *jobs)
    for n, what in enumerate(("", ", --all")):
        # A busy machine is busy for both sides, but not at the same moment: the slower of before and after counts.
        own = [runs[n][0] for runs in (before, after)]
        each = " and ".join(f"{time / 1000:.2f}" for time in own)
        yield f"{len(images)} images{what}, 50 ms: cosign {theirs / 1000:.1f} s, ours {each} s", theirs / max(own), ">=", 20


def one_bundle(numbers):
    subject = digest("bench-1")
    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        file.write(largest_bundle("bench-1", subject))
        file.flush()
        size = os.path.getsize(file.name)
        go = [f"{LAB}/bin/gobench", "-root", TRUST, "-san", IDENTITY, "-issuer", ISSUER, "-n", "100", "-digest", subject]
        ours = [numbers, "bundle-file", TRUST, file.name, subject, IDENTITY, ISSUER]

        def median(command):
            output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            return [float(re.search(r"median=([0-9.]+)", output)[1])]

        (theirs,), (own,) = in_turns(5, lambda: median([*go, file.name]), lambda: median(ours))
    yield f"bundle of {size // 1000} kB: sigstore-go {theirs:.2f} ms, ours {own:.2f} ms", theirs / own, ">=", 4.5


def main():
    cg_attest, numbers = sys.argv[1:]
    missed = 0
    making = produce.bench(DIRECT, SLOW, cg_attest)
    benches = (twenty_attestations(cg_attest), two_hundred_images(cg_attest), one_bundle(numbers), making)
    for number in itertools.chain(*benches):
        missed += not line(*number)
    return missed > 0


if __name__ == "__main__":
    sys.exit(main())
