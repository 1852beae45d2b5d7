"""Verifies a recorded request with the `standardwebhooks` of PyPI."""

import os

from recorded import Recorded, answer
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

request = Recorded()
try:
    event = Webhook(os.environ["WEBHOOK_SECRET"]).verify(request.body, request.headers)
except WebhookVerificationError as error:
    answer(401, error)
answer(200, event["type"])
