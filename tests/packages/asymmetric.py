"""Verifies a recorded request of the asymmetric form of Standard Webhooks with PyNaCl: `WEBHOOK_SECRET` is the public key."""

import base64
import os

from nacl.exceptions import BadSignatureError
from nacl.signing import VerifyKey
from recorded import Recorded, answer

request = Recorded()
headers = request.headers
public = VerifyKey(base64.b64decode(os.environ["WEBHOOK_SECRET"].removeprefix("whpk_"), validate=True))
if not all(headers.get(f"webhook-{part}") for part in ("id", "timestamp", "signature")):
    answer(401, "a header is missing")
signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + request.body
for signature in headers["webhook-signature"].split(" "):
    version, text = signature.split(",")
    try:
        if version == "v1a":
            public.verify(signed, base64.b64decode(text, validate=True))
            answer(200, version)
    except BadSignatureError:
        continue
answer(401, "no signature holds")
