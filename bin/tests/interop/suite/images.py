"""A tiny image of two platforms, and documents about it."""

import gzip
import hashlib
import io
import json
import tarfile
from dataclasses import dataclass
from pathlib import Path

PLATFORMS = ("linux/amd64", "linux/arm64")
KINDS = ("signature", "spdx", "slsa")
PREDICATES = {"spdx": "https://spdx.dev/Document", "slsa": "https://slsa.dev/provenance/v1"}

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"


@dataclass(frozen=True)
class Image:
    """An image in a layout folder, where it has the tag `latest`."""

    folder: Path
    index: str
    platforms: dict

    def manifest(self, digest):
        """The file that a digest names."""
        return self.folder / "blobs" / digest.replace(":", "/")

    def targets(self, kind):
        """What evidence of a kind is about: the index is signed, platforms have documents."""
        return [self.index] if kind == "signature" else list(self.platforms.values())


def make(folder, text):
    """An image whose every digest depends on `text`."""
    (folder / "blobs" / "sha256").mkdir(parents=True)
    (folder / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
    manifests = []
    for platform in PLATFORMS:
        system, architecture = platform.split("/")
        archive = tar("app", f"{text} {platform}\n")
        layer = blob(folder, LAYER, gzip.compress(archive, mtime=0))
        diff = f"sha256:{hashlib.sha256(archive).hexdigest()}"
        config = {"os": system, "architecture": architecture, "rootfs": {"type": "layers", "diff_ids": [diff]}}
        manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "config": document(folder, CONFIG, config)}
        manifest["layers"] = [layer]
        entry = document(folder, MANIFEST, manifest)
        manifests.append(entry | {"platform": {"os": system, "architecture": architecture}})
    index = document(folder, INDEX, {"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests})
    tagged = index | {"annotations": {"org.opencontainers.image.ref.name": "latest"}}
    (folder / "index.json").write_text(json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": [tagged]}))
    digests = [manifest["digest"] for manifest in manifests]
    return Image(folder, index["digest"], dict(zip(PLATFORMS, digests, strict=True)))


def tar(name, text):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        entry = tarfile.TarInfo(name)
        entry.size = len(text)
        archive.addfile(entry, io.BytesIO(text.encode()))
    return out.getvalue()


def document(folder, media_type, value):
    return blob(folder, media_type, json.dumps(value).encode())


def blob(folder, media_type, data):
    """Stores bytes in the layout; their descriptor."""
    digest = hashlib.sha256(data).hexdigest()
    (folder / "blobs" / "sha256" / digest).write_bytes(data)
    return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(data)}


def predicate(kind, digest):
    """A small but complete document about one platform."""
    return spdx(digest) if kind == "spdx" else slsa()


def spdx(digest):
    hexadecimal = digest.removeprefix("sha256:")
    return {
        "spdxVersion": "SPDX-2.3",
        "SPDXID": "SPDXRef-DOCUMENT",
        "dataLicense": "CC0-1.0",
        "name": "interop",
        "documentNamespace": f"https://interop.test/sbom/{hexadecimal}",
        "creationInfo": {"created": "2026-01-01T00:00:00Z", "creators": ["Tool: interop"]},
        "packages": [
            {
                "name": "app",
                "SPDXID": "SPDXRef-Package-app",
                "versionInfo": "1.0",
                "downloadLocation": "NOASSERTION",
                "filesAnalyzed": False,
            }
        ],
        "relationships": [
            {
                "spdxElementId": "SPDXRef-DOCUMENT",
                "relationshipType": "DESCRIBES",
                "relatedSpdxElement": "SPDXRef-Package-app",
            }
        ],
    }


def slsa():
    source = {
        "uri": "git+https://github.com/interop/app@refs/heads/main",
        "digest": {"gitCommit": "0123456789abcdef0123456789abcdef01234567"},
    }
    return {
        "buildDefinition": {
            "buildType": "https://interop.test/build/v1",
            "externalParameters": {"source": source["uri"]},
            "internalParameters": {},
            "resolvedDependencies": [source],
        },
        "runDetails": {
            "builder": {"id": "https://github.com/interop/app/.github/workflows/release.yml@refs/heads/main"},
            "metadata": {"invocationId": "https://github.com/interop/app/actions/runs/3003/attempts/1"},
        },
    }
