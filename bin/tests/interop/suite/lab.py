"""One run of the servers: its folder, addresses, identities and files of trust."""

import shlex
import urllib.request
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Signer:
    """Somebody who can get a certificate."""

    issuer: str
    identity: str
    query: str = ""

    def token(self):
        with urllib.request.urlopen(f"{self.issuer}/token{self.query}", timeout=5) as answer:
            return answer.read().decode()


@dataclass(frozen=True)
class Lab:
    """Where everything of one run is."""

    folder: Path
    port: dict

    PORTS = (
        *("issuer", "ctlog", "fulcio", "fulcio-grpc", "fulcio-metrics", "tsa"),
        *("rekor-v2", "rekor-v2-grpc", "rekor-v2-metrics", "rekor-v1", "trillian"),
        *("olareg", "docker-registry"),
    )

    def save(self):
        """Says where everything is, for a shell: `. RUN/env`."""
        lines = [f"{name}={shlex.quote(str(value))}\n" for name, value in self.variables()]
        (self.folder / "env").write_text("".join(lines))

    def variables(self):
        yield "TRUSTED_ROOT", self.trusted_root
        for log in ("rekor-v2", "rekor-v1"):
            suffix = log.replace("-", "_").upper()
            yield f"SIGNING_CONFIG_{suffix}", self.signing_config(log)
            yield f"CLIENT_TRUST_CONFIG_{suffix}", self.client_trust_config(log)
        for name in ("fulcio", "tsa", "rekor-v2", "rekor-v1"):
            yield name.replace("-", "_").upper() + "_URL", self.url(name)
        for name in ("olareg", "docker-registry"):
            yield name.replace("-", "_").upper(), self.registry(name)
        for name, signer in (("EMAIL", self.email), ("CI", self.ci)):
            yield f"{name}_ISSUER", signer.issuer
            yield f"{name}_IDENTITY", signer.identity
        yield "ACTIONS_ID_TOKEN_REQUEST_URL", f"{self.url('issuer')}/actions?"
        yield "ACTIONS_ID_TOKEN_REQUEST_TOKEN", "interop"

    def address(self, name):
        return f"127.0.0.1:{self.port[name]}"

    def url(self, name):
        # See `--hostname` of Rekor v2 in `servers`.
        host = "localhost" if name.startswith("rekor") else "127.0.0.1"
        return f"http://{host}:{self.port[name]}"

    def registry(self, name):
        # Every client knows without a flag that localhost is reached by http.
        return f"localhost:{self.port[name]}"

    @property
    def home(self):
        return self.folder / "home"

    @property
    def work(self):
        return self.folder / "work"

    @property
    def email(self):
        """A person."""
        return Signer(f"{self.url('issuer')}/email", "dev@interop.test")

    @property
    def ci(self):
        """A workflow of a CI."""
        workflow = "https://github.com/interop/app/.github/workflows/release.yml@refs/heads/main"
        return Signer(f"{self.url('issuer')}/ci", workflow)

    @property
    def trusted_root(self):
        return self.folder / "trust" / "trusted_root.json"

    @property
    def other_root(self):
        """The root of another instance at the same addresses: what a wrong root looks like."""
        return self.folder / "trust" / "other_root.json"

    def signing_config(self, log):
        return self.folder / "trust" / f"signing_config-{log}.json"

    def client_trust_config(self, log):
        return self.folder / "trust" / f"client_trust_config-{log}.json"
