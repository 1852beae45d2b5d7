# The lines between the marks are document 003's; the rest is what it leaves out.
import os

WEBHOOK_SECRET = os.environ["WEBHOOK_SECRET"]


def handle_event(event):
    assert event["data"] is not None


# --- document 003
from flask import Flask, request
import hmac
import hashlib

app = Flask(__name__)

@app.route('/webhook', methods=['POST'])
def webhook():
    # Verify signature
    signature = request.headers.get('X-Webhook-Signature')
    payload = request.get_data()
    
    expected = hmac.new(
        WEBHOOK_SECRET.encode(),
        payload,
        hashlib.sha256
    ).hexdigest()
    
    if not hmac.compare_digest(signature, expected):
        return 'Invalid signature', 401
    
    # Process event
    event = request.json
    handle_event(event)
    
    return 'OK', 200
# ---

app.run()
