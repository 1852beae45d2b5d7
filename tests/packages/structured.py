"""Verifies a recorded request with `standardwebhooks` and has it parsed by `cloudevents`; prints what that has read."""

import json
import os

from cloudevents.core.bindings.http import HTTPMessage, from_http_event
from recorded import Recorded, answer
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

request = Recorded()
try:
    Webhook(os.environ["WEBHOOK_SECRET"]).verify(request.body, request.headers, json_parse=False)
except WebhookVerificationError as error:
    answer(401, error)
event = from_http_event(HTTPMessage(headers=dict(request.headers), body=request.body))
read = {name: str(value) for name, value in event.get_attributes().items()}
answer(200, json.dumps({**read, "data": event.get_data()}))
