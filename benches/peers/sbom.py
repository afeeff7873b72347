#!/usr/bin/env python3
"""What `cg-attest sbom` and syft find in the same images.

    sbom.py --cg-attest BINARY --syft BINARY [--work DIR] [--table FILE] [SET ...]

Builds an image per set (an OCI layout of one gzip layer) from packages of Debian,
PyPI and npm, from Go programs, and from recorded apk and rpm databases, runs both
programs over it and compares type, name and version of what they find, as their
package URLs say them. Ends with 1 if something that syft finds is missing without a
reason, or if one of ours is not explained.

What a set needs is fetched by the package manager of its ecosystem and kept in DIR.
"""

import argparse
import gzip
import hashlib
import io
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
import urllib.parse
import zipfile
import zlib

DEBIAN = 'ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n'
SYSTEM = 'ID=wolfi\nVERSION_ID="20230201"\n'
# The ecosystems that both are asked about.
TYPES = {"apk", "cargo", "composer", "deb", "gem", "golang", "maven", "npm", "nuget", "pypi", "rpm"}


class Skip(Exception):
    """A set that cannot be built here."""


def write(root, path, content):
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return file


def run(*command, **options):
    return subprocess.run([str(word) for word in command], check=True, stdout=subprocess.PIPE, **options).stdout


# ---- the sets ----


def debian(root, cache, packages):
    """Unpacked packages of Debian, with the database that dpkg would have."""
    write(root, "etc/os-release", DEBIAN)
    folder = cache / "deb"
    folder.mkdir(parents=True, exist_ok=True)
    there = {file.name.split("_")[0] for file in folder.glob("*.deb")}
    missing = [package for package in packages if package not in there]
    if missing:
        run("apt-get", "download", *missing, cwd=folder)
    status = []
    for package in packages:
        [deb] = folder.glob(f"{package}_*.deb")
        run("dpkg-deb", "-x", deb, root)
        control = run("dpkg-deb", "-f", deb).decode()
        status.append(control.replace("\n", "\nStatus: install ok installed\n", 1))
        paths = [line.split(maxsplit=5)[5] for line in run("dpkg-deb", "-c", deb).decode().splitlines()]
        listing = "\n".join(path[1:].split(" -> ")[0].rstrip("/") for path in paths)
        write(root, f"var/lib/dpkg/info/{package}.list", listing + "\n")
    write(root, "var/lib/dpkg/status", "\n".join(status) + "\n")


def debian_java(root, cache):
    names = "libcommons-lang3-java libcommons-io-java libcommons-logging-java libjackson2-databind-java libjackson2-core-java"
    names += " libguava-java libspring-core-java libtomcat9-java ant ant-optional junit4 libslf4j-java libbcprov-java"
    names += " liblog4j2-java libnetty-java libmaven3-core-java libservlet-api-java libhamcrest-java liblogback-java"
    debian(root, cache, names.split())


def debian_ruby(root, cache):
    names = "libruby3.1 ruby-rack ruby-bundler ruby-rubygems rake ruby-nokogiri ruby-minitest ruby-net-telnet ruby-concurrent"
    debian(root, cache, names.split())


def debian_python(root, cache):
    names = "python3-yaml python3-requests python3-setuptools python3-pkg-resources python3-attr python3-six python3-lxml"
    names += " python3-cryptography python3-distutils libpython3.11-stdlib python3-wheel python3-pip python2.7-minimal"
    debian(root, cache, names.split()[:-1])


def debian_node(root, cache):
    debian(root, cache, "node-semver node-express node-lodash node-debug node-undici node-acorn node-typescript".split())


def debian_go(root, cache):
    debian(root, cache, "gh etcd-server runc prometheus-node-exporter".split())


def pip(root, cache):
    write(root, "etc/os-release", SYSTEM)
    names = "flask requests pyyaml setuptools zope.interface ruamel.yaml typing_extensions"
    run(sys.executable, "-m", "pip", "install", "-q", "--target", root / "usr/lib/python3.12/site-packages", *names.split())


def npm(root, _cache):
    write(root, "etc/os-release", SYSTEM)
    write(root, "app/package.json", '{"name":"shop","version":"1.0.0","private":true}')
    names = "express@4 lodash @babel/core resolve eslint@8"
    run("npm", "install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts", *names.split(), cwd=root / "app")


def go(root, cache):
    """Programs as releases have them, and one built here in each way that matters."""
    write(root, "etc/os-release", SYSTEM)
    for file in filter(None, os.environ.get("GO_PROGRAMS", "").split(":")):
        write(root, f"usr/bin/{pathlib.Path(file).name}", pathlib.Path(file).read_bytes())
    source = cache / "go"
    write(source, "go.mod", "module example.com/shop/v2\n\ngo 1.22\n")
    write(source, "main.go", 'package main\n\nvar version = "?"\n\nfunc main() { println(version) }\n')
    environment = {**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "-mod=mod -buildvcs=false"}
    ways = {
        "plain": [],
        "stripped": ["-ldflags", "-s -w"],
        "versioned": ["-ldflags", "-X main.version=1.4.2"],
        "pie": ["-buildmode=pie"],
    }
    for name, flags in ways.items():
        run("go", "build", "-o", root / f"usr/bin/shop-{name}", *flags, ".", cwd=source, env=environment)
    for system in ("windows", "darwin"):
        there = {**environment, "GOOS": system}
        run("go", "build", "-o", root / f"opt/shop-{system}", ".", cwd=source, env=there)


def rust(root, cache):
    """The crates of this workspace, listed as `cargo auditable` lists them, in a program in C."""
    write(root, "etc/os-release", SYSTEM)
    lock = (pathlib.Path(__file__).parent / "../../Cargo.lock").resolve().read_text()
    crates = re.findall(r'name = "(.+)"\nversion = "(.+)"', lock)
    packages = [{"name": name, "version": version, "source": "crates.io"} for name, version in crates]
    packages[0].update(kind="build")
    packages[1].update(root=True, dependencies=list(range(2, len(packages))))
    listed = write(cache, "rust/dep-v0", zlib.compress(json.dumps({"packages": packages}).encode()))
    write(cache, "rust/main.c", "int main(void) { return 0; }")
    run("gcc", "-o", cache / "rust/main", cache / "rust/main.c")
    (root / "usr/bin").mkdir(parents=True)
    run("objcopy", f"--add-section=.dep-v0={listed}", cache / "rust/main", root / "usr/bin/shop")


def jar(files):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            stored = zipfile.ZIP_STORED if name.endswith(".jar") else zipfile.ZIP_DEFLATED
            archive.writestr(zipfile.ZipInfo(name), content, stored)
    return out.getvalue()


def maven(group, artifact, version, **more):
    """An archive as Maven builds it."""
    folder = f"META-INF/maven/{group}/{artifact}"
    properties = f"#made by Maven\ngroupId={group}\nartifactId={artifact}\nversion={version}\n"
    pom = f"<project><groupId>{group}</groupId><artifactId>{artifact}</artifactId><version>{version}</version></project>"
    manifest = f"Manifest-Version: 1.0\nImplementation-Title: {artifact}\nImplementation-Version: {version}\n"
    return {"META-INF/MANIFEST.MF": manifest, f"{folder}/pom.properties": properties, f"{folder}/pom.xml": pom, **more}


def java(root, _cache):
    """Applications with their libraries inside: a boot archive, a web archive, a shaded one."""
    write(root, "etc/os-release", SYSTEM)
    core, extra = maven("org.example", "core", "1.2.3"), maven("org.example.extra", "extra", "4.5")
    boot = {"META-INF/MANIFEST.MF": "Manifest-Version: 1.0\nImplementation-Version: 7.0\nMain-Class: org.example.Main\n"}
    boot |= {"BOOT-INF/lib/core-1.2.3.jar": jar(core), "BOOT-INF/lib/extra-4.5.jar": jar(extra)}
    write(root, "app/shop-7.0.jar", jar(boot))
    write(root, "app/run.jar", b"#!/bin/sh\nexec java -jar $0\n" + jar(boot))
    write(root, "app/site.war", jar({"META-INF/MANIFEST.MF": "Manifest-Version: 1.0\n", "WEB-INF/lib/shop-7.0.jar": jar(boot)}))
    shaded = core | {name: text for name, text in extra.items() if name.startswith("META-INF/maven")}
    write(root, "app/core-1.2.3-shaded.jar", jar(shaded))
    bundle = "Manifest-Version: 1.0\nBundle-SymbolicName: org.example.thing;singleton:=true\nBundle-Version: 3.1\n"
    write(root, "app/org.example.thing_3.1.jar", jar({"META-INF/MANIFEST.MF": bundle}))
    write(root, "app/plain.jar", jar({"META-INF/MANIFEST.MF": "Manifest-Version: 1.0\n"}))
    loose = {name: text for name, text in extra.items() if name != "META-INF/MANIFEST.MF"}
    write(root, "app/no-manifest.jar", jar(loose))


def php(root, _cache):
    write(root, "etc/os-release", SYSTEM)
    packages = [
        {"name": "monolog/monolog", "version": "3.5.0", "license": ["MIT"], "require": {"php": ">=8.1", "psr/log": "^3"}},
        {"name": "psr/log", "version": "3.0.0", "license": ["MIT"]},
        {"name": "symfony/console", "version": "v7.0.1", "license": ["MIT"], "source": {"type": "git", "url": "x", "reference": "y"}},
    ]
    write(root, "srv/a/vendor/composer/installed.json", json.dumps({"packages": packages, "dev": False}))
    write(root, "srv/b/vendor/composer/installed.json", json.dumps(packages[:1] + [{"name": "old/one", "version": "1.0"}]))


def dotnet(root, _cache):
    write(root, "etc/os-release", SYSTEM)
    files = {"lib/net6.0/x.dll": {}}
    target = {
        "shop/1.0.0": {"dependencies": {"Serilog": "3.1.1", "other": "1.0.0"}, "runtime": {"shop.dll": {}}},
        "other/1.0.0": {"runtime": {"other.dll": {}}},
        "Serilog/3.1.1": {"runtime": files},
        "Newtonsoft.Json/13.0.3": {"runtime": files},
        "System.Text.Encodings.Web/8.0.0": {"runtime": files},
        "NETStandard.Library/2.0.3": {"dependencies": {}},
    }
    kinds = {name: {"type": "package", "sha512": "sha512-x", "path": name.lower()} for name in target}
    kinds |= {"shop/1.0.0": {"type": "project"}, "other/1.0.0": {"type": "project"}}
    document = {"runtimeTarget": {"name": ".NETCoreApp,Version=v8.0"}, "targets": {".NETCoreApp,Version=v8.0": target}}
    write(root, "app/shop.deps.json", json.dumps(document | {"libraries": kinds}))


def rpm(path, name):
    def build(root, _cache):
        """A database that a real system wrote."""
        folder = os.environ.get("RPM_DATABASES")
        file = folder and pathlib.Path(folder) / name
        if not file or not file.exists():
            raise Skip("RPM_DATABASES names no folder with " + name)
        write(root, "etc/os-release", 'ID=fedora\nVERSION_ID="35"\n')
        write(root, path, file.read_bytes())

    return build


def corpus(path, name, system=SYSTEM):
    def build(root, _cache):
        """A recorded file."""
        folder = os.environ.get("CG_ATTEST_CORPUS")
        if not folder:
            raise Skip("CG_ATTEST_CORPUS is not set")
        write(root, "etc/os-release", system)
        write(root, path, (pathlib.Path(folder) / name).read_bytes())

    return build


SETS = {
    "apk-wolfi": corpus("usr/lib/apk/db/installed", "apko/installed/wolfi-base"),
    "apk-alpine": corpus("lib/apk/db/installed", "syft/alpine/multiple-1/lib/apk/db/installed", "ID=alpine\nVERSION_ID=3.10\n"),
    "debian-go": debian_go,
    "debian-java": debian_java,
    "debian-node": debian_node,
    "debian-python": debian_python,
    "debian-ruby": debian_ruby,
    "dotnet": dotnet,
    "go": go,
    "java": java,
    "npm": npm,
    "php": php,
    "pip": pip,
    "rpm-small": corpus("var/lib/rpm/rpmdb.sqlite", "rpmdb/rpmdb.sqlite", "ID=rhel\nVERSION_ID=9\n"),
    "rpm-fedora-35": rpm("var/lib/rpm/rpmdb.sqlite", "fedora35/rpmdb.sqlite"),
    "rpm-mariner-2": rpm("var/lib/rpm/rpmdb.sqlite", "cbl-mariner-2.0/rpmdb.sqlite"),
    "rpm-oracle-9": rpm("usr/lib/sysimage/rpm/rpmdb.sqlite", "oraclelinux-9/rpmdb.sqlite"),
    "rpm-rocky-9": rpm("var/lib/rpm/rpmdb.sqlite", "rockylinux-9/rpmdb.sqlite"),
    "rpm-sles-15": rpm("usr/lib/sysimage/rpm/Packages.db", "sle15-bci/Packages.db"),
    "rust": rust,
}


# ---- images ----


def layout(root, out):
    """The folder `root` as an OCI layout of one image with one layer."""
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w") as archive:
        archive.add(root, arcname=".", filter=lambda entry: entry.replace(mtime=0, uid=0, gid=0, uname="", gname="", deep=False))
    plain = plain.getvalue()
    blobs = out / "blobs/sha256"
    blobs.mkdir(parents=True)

    def blob(content, media_type, **more):
        digest = hashlib.sha256(content).hexdigest()
        (blobs / digest).write_bytes(content)
        return {"mediaType": media_type, "digest": "sha256:" + digest, "size": len(content), **more}

    def document(value, kind, **more):
        return blob(json.dumps(value).encode(), f"application/vnd.oci.image.{kind}.v1+json", **more)

    platform = {"architecture": "amd64", "os": "linux"}
    layer = blob(gzip.compress(plain, 1, mtime=0), "application/vnd.oci.image.layer.v1.tar+gzip")
    diff_id = "sha256:" + hashlib.sha256(plain).hexdigest()
    config = document({**platform, "config": {}, "rootfs": {"type": "layers", "diff_ids": [diff_id]}}, "config")
    manifest = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", "config": config, "layers": [layer]}
    manifest = document(manifest, "manifest", platform=platform)
    (out / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [manifest]}))
    (out / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    return len(plain)


def found(document):
    """Type, name and version of every package in an SPDX document, by its package URL."""
    keys = set()
    for package in document["packages"]:
        purls = [reference["referenceLocator"] for reference in package.get("externalRefs", []) if reference["referenceType"] == "purl"]
        for purl in purls:
            path, _, version = re.sub(r"[?#].*", "", purl.removeprefix("pkg:")).partition("@")
            kind, *names = [urllib.parse.unquote(part) for part in path.split("/")]
            if kind not in TYPES:
                continue
            # The system's name is a matter of taste, and Maven's group is often a guess.
            name = names[-1] if kind in {"apk", "deb", "rpm", "maven"} else "/".join(names)
            # Lower case in purls of Go (purl-spec, types, golang), which syft leaves to the reader.
            name = name.lower() if kind == "golang" else name
            version = urllib.parse.unquote(version)
            keys.add((kind, name, "" if version == "UNKNOWN" else version))
    return keys


def timed(command, **options):
    start = time.monotonic()
    answer = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)
    return answer, time.monotonic() - start


# ---- what differs, and why ----

# (set, who has it alone, pattern over "type name version", reason)
REASONS = [
    ("rpm-.*", "syft", "rpm gpg-pubkey .*", "a key that was imported, which rpm keeps as if it was a package"),
    ("dotnet", "cg-attest", "nuget NETStandard.Library .*", "the application depends on it; syft leaves out what brings no file"),
]


def reason(name, who, key):
    text = " ".join(key)
    for wanted, side, pattern, why in REASONS:
        if re.fullmatch(wanted, name) and side == who and re.fullmatch(pattern, text):
            return why
    return None


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--cg-attest", required=True, type=pathlib.Path)
    arguments.add_argument("--syft", required=True, type=pathlib.Path)
    arguments.add_argument("--work", type=pathlib.Path)
    arguments.add_argument("--table", type=pathlib.Path)
    arguments.add_argument("sets", nargs="*", metavar="SET", choices=[*SETS, []])
    options = arguments.parse_args()
    work = options.work or pathlib.Path(tempfile.mkdtemp(prefix="sbom-sets-"))
    work = work.resolve()

    rows, notes, bad = [], [], 0
    for name in options.sets or SETS:
        image = work / name
        if not (image / "index.json").exists():
            shutil.rmtree(image, ignore_errors=True)
            with tempfile.TemporaryDirectory(dir=work if work.exists() else None) as root:
                try:
                    SETS[name](pathlib.Path(root), work / "cache")
                except Skip as why:
                    print(f"{name}: skipped, {why}", file=sys.stderr)
                    continue
                image.mkdir(parents=True)
                layout(pathlib.Path(root), image)
        ours, our_time = timed([options.cg_attest.resolve(), "sbom", "--source", "content", "-o", "spdx-json"], cwd=image)
        environment = {**os.environ, "SYFT_CHECK_FOR_APP_UPDATE": "false"}
        theirs, their_time = timed([options.syft.resolve(), "scan", "-q", f"oci-dir:{image}", "-o", "spdx-json"], env=environment)
        if theirs.returncode or ours.returncode not in (0, 3):
            print(name, ours.returncode, ours.stderr.decode()[-2000:], theirs.stderr.decode()[-2000:], file=sys.stderr)
            bad += 1
            continue
        if ours.returncode:
            print(name, ours.stderr.decode()[-2000:], file=sys.stderr)
        (image / "ours.spdx.json").write_bytes(ours.stdout)
        (image / "theirs.spdx.json").write_bytes(theirs.stdout)
        mine, syfts = found(json.loads(ours.stdout)), found(json.loads(theirs.stdout))
        missing, extra = sorted(syfts - mine), sorted(mine - syfts)
        rows.append((name, len(syfts), len(mine), len(mine & syfts), len(missing), len(extra), our_time, their_time))
        for who, keys in (("syft", missing), ("cg-attest", extra)):
            for key in keys:
                why = reason(name, who, key)
                bad += why is None
                notes.append((name, who, " ".join(key), why or "NOT EXPLAINED"))
        print(f"{name}: syft {len(syfts)}, ours {len(mine)}, missing {len(missing)}, extra {len(extra)}; {our_time:.2f} s, {their_time:.2f} s", file=sys.stderr)

    table = io.StringIO()
    print("| image | syft | cg-attest | both | only syft | only cg-attest |", file=table)
    print("|---|---:|---:|---:|---:|---:|", file=table)
    for row in rows:
        print("| " + " | ".join(str(cell) for cell in row[:6]) + " |", file=table)
    print(file=table)
    groups = {}
    for name, who, key, why in notes:
        groups.setdefault((name, who, why), []).append(key)
    if groups:
        print("| image | only | packages | why |\n|---|---|---|---|", file=table)
    for (name, who, why), keys in groups.items():
        shown = ", ".join(f"`{key.strip()}`" for key in keys[:4]) + (f" and {len(keys) - 4} more" if len(keys) > 4 else "")
        print(f"| {name} | {who} | {shown} | {why} |", file=table)
    print(table.getvalue())
    if options.table:
        text = options.table.read_text()
        head, _, rest = text.partition("<!-- table -->\n")
        _, _, tail = rest.partition("<!-- end -->")
        options.table.write_text(f"{head}<!-- table -->\n{table.getvalue()}<!-- end -->{tail}")
    sys.exit(bad != 0)


if __name__ == "__main__":
    main()
