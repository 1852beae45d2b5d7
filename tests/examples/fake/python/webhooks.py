"""webhooks.fake() and assert_dispatched() for a test suite in Python; the standard library is enough.

It needs, on any machine of the test:

    postrider serve --dev
    postrider listen --record --secret $WEBHOOK_SECRET
"""

import json
import os
import time
import urllib.error
import urllib.parse
import urllib.request

API = os.environ.get("POSTRIDER_URL", "http://127.0.0.1:8383") + "/api/v1"
LISTENER = os.environ.get("LISTENER_URL", "http://127.0.0.1:8384")
SECRET = os.environ["WEBHOOK_SECRET"]


def call(method, url, body=None, allow=()):
    headers = {"Content-Type": "application/json"}
    if url.startswith(API):
        headers["Authorization"] = "Bearer " + os.environ["POSTRIDER_KEY"]
    data = None if body is None else json.dumps(body).encode()
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data, headers, method=method)) as answer:
            return answer.status, json.loads(answer.read() or b"null")
    except urllib.error.HTTPError as error:
        if error.code in allow:
            return error.code, None
        raise AssertionError(f"{method} {url}: {error.code} {error.read().decode()}") from None


def publish(event_type, data):
    """What the application under test does when something has happened."""
    return call("POST", API + "/events", {"type": event_type, "data": data})[1]


def fake():
    """Sends all webhooks to the listener, and forgets what it has received before."""
    endpoint = {"url": LISTENER + "/hook", "events": ["*"], "secret": SECRET}
    status, _ = call("PATCH", API + "/endpoints/fake", endpoint, allow=[404])
    if status == 404:
        call("POST", API + "/endpoints", {"uid": "fake", **endpoint})
    call("DELETE", LISTENER + "/received")


def received(event_type):
    return call("GET", LISTENER + "/received?" + urllib.parse.urlencode({"type": event_type}))[1]


def assert_dispatched(event_type, matches=lambda event, data: True, within=10):
    """Waits for a webhook of this type, with a good signature, that `matches`."""
    query = urllib.parse.urlencode({"type": event_type})
    deadline, seen = time.monotonic() + within, 0
    while True:
        came = call("GET", LISTENER + "/received/count?" + query)[1]
        # Those that were dropped as well, or nothing would count as new once the listener is full.
        if came["count"] + came["dropped"] > seen:
            seen = came["count"] + came["dropped"]
            if any(event["verified"] and matches(event, event["data"]) for event in received(event_type)):
                return
        if time.monotonic() > deadline:
            raise AssertionError(f"no {event_type} was sent that fits, but: {received('*')}")
        time.sleep(0.02)


def assert_not_dispatched(event_type):
    """Whether none of this type has come so far; assert first what has to come."""
    came = received(event_type)
    assert not came, f"{event_type} was sent: {came}"
