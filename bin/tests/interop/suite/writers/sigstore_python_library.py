"""Attests with the library sigstore-python; runs with the Python that it is installed for.

sigstore_python_library.py TRUST_CONFIG TOKEN DIGEST PREDICATE_TYPE PREDICATE BUNDLE
"""

import json
import sys
from pathlib import Path

from sigstore.dsse import StatementBuilder, Subject
from sigstore.models import ClientTrustConfig
from sigstore.oidc import IdentityToken
from sigstore.sign import SigningContext

config, token, digest, predicate_type, predicate, bundle = sys.argv[1:]
context = SigningContext.from_trust_config(ClientTrustConfig.from_json(Path(config).read_text()))
subject = Subject(name="app", digest={"sha256": digest.removeprefix("sha256:")})
builder = StatementBuilder().subjects([subject]).predicate_type(predicate_type)
statement = builder.predicate(json.loads(Path(predicate).read_text())).build()
with context.signer(IdentityToken(token)) as signer:
    Path(bundle).write_text(signer.sign_dsse(statement).to_json())
