"""Signing and attesting an image of two platforms: cosign and cg-attest, in turns, each time in a new repository."""

import itertools
import os
import subprocess
import urllib.request

from measure import in_turns, process

LAB = os.environ["LAB"]
PREDICATES_AT, TRUST = os.path.join(LAB, "work"), os.path.join(LAB, "trust")
PREDICATES = [("spdxjson", f"{PREDICATES_AT}/apk.spdx.json"), ("slsaprovenance1", f"{PREDICATES_AT}/slsa.json")]
SERVICES = ["--signing-config", f"{TRUST}/signing_config.json", "--trusted-root", f"{TRUST}/trusted_root.json", "--yes"]


def token():
    with urllib.request.urlopen("http://127.0.0.1:5556/email/token?email=dev@example.test") as answer:
        return answer.read().decode()


def repositories(direct):
    """New repositories with the image alone, one after the other."""
    crane = f"{LAB}/bin/crane"
    for n in itertools.count():
        name = f"produce/{os.getpid()}-{n}"
        subprocess.run([crane, "copy", f"{direct}/tiny:v1", f"{direct}/{name}:v1"], check=True, capture_output=True)

        def digest(*platform):
            asked = [crane, "digest", *platform, f"{direct}/{name}:v1"]
            return subprocess.run(asked, check=True, capture_output=True, text=True).stdout.strip()

        yield name, digest(), [digest("--platform", p) for p in ("linux/amd64", "linux/arm64")]


def wall(commands):
    return sum(process(command)[0] for command in commands)


def cosign(slow, repository):
    name, index, platforms = repository
    program = [f"{LAB}/bin/cosign"]
    identity = ["--identity-token", token()]
    signing = [[*program, "sign", *SERVICES, *identity, f"{slow}/{name}@{digest}"] for digest in (index, *platforms)]
    attesting = [
        [*program, "attest", *SERVICES, *identity, "--type", kind, "--predicate", file, f"{slow}/{name}@{digest}"]
        for digest in platforms
        for kind, file in PREDICATES
    ]
    return [wall(signing + attesting)]


def ours(slow, repository, cg_attest):
    name, index, _ = repository
    image = f"{slow}/{name}@{index}"
    identity = ["--identity-token", token()]
    documents = [f"{flag}={file}" for flag, (_, file) in zip(("--sbom", "--provenance"), PREDICATES)]
    return [
        wall(
            [
                [cg_attest, "sign", *SERVICES, *identity, image],
                [cg_attest, "attest", *SERVICES, *identity, *documents, image],
            ]
        )
    ]


def bench(direct, slow, cg_attest):
    made = repositories(direct)
    (theirs,), (own,) = in_turns(
        3, lambda: cosign(slow, next(made)), lambda: ours(slow, next(made), cg_attest)
    )
    what = "3 signatures, 2 platforms x 2 predicates, 50 ms"
    yield f"{what}: cosign {theirs:.0f} ms, ours {own:.0f} ms", own / theirs, "<=", 0.35
