"""`cg-attest sandbox` as the server: other clients have to be able to work with it."""

import contextlib
import json
import subprocess
from dataclasses import dataclass

from .command import Failed, environment
from .lab import Lab, Signer
from .paths import OURS
from .trust import client_trust_config

SECONDS = 60


@dataclass(frozen=True)
class Sandbox(Lab):
    """A run whose servers are the sandbox's: one registry, and one address for everything of Sigstore."""

    facts: dict

    def registry(self, name):
        return self.facts["registry"]

    def url(self, name):
        return self.facts["issuer"]

    @property
    def email(self):
        return Signer(self.facts["issuer"], "dev@interop.test", "?email=dev@interop.test")

    @property
    def ci(self):
        workflow = "https://github.com/interop/app/.github/workflows/release.yml@refs/heads/main"
        return Signer(self.facts["issuer"], workflow, "?repository=interop/app&ref=refs/heads/main")

    @property
    def trusted_root(self):
        return self.facts["trustedRoot"]

    def signing_config(self, log):
        return self.facts["signingConfig" if log == "rekor-v2" else "signingConfigRekorV1"]

    def client_trust_config(self, log):
        return self.work / f"sandbox-{log}.json"


@contextlib.contextmanager
def start(lab):
    """Runs the sandbox; it ends with its standard input."""
    with open(lab.folder / "log" / "sandbox.log", "wb") as log:
        child = subprocess.Popen(
            [OURS, "sandbox", "--json", "--until-stdin-closes"],
            cwd=lab.work,
            env=environment(lab.home),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
        )
    with child:
        try:
            line = child.stdout.readline()
            if not line:
                raise Failed(f"the sandbox did not start:\n{(lab.folder / 'log' / 'sandbox.log').read_text()}")
            box = Sandbox(lab.folder, lab.port, json.loads(line))
            for log in ("rekor-v2", "rekor-v1"):
                client_trust_config(box, log)
            yield box
        finally:
            child.stdin.close()
            try:
                child.wait(SECONDS)
            except subprocess.TimeoutExpired:
                child.kill()
