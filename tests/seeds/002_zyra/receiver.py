# The lines between the marks are document 002's; the rest is what it leaves out.
import os

from fastapi import FastAPI, HTTPException, Request

SECRET = os.environ["WEBHOOK_SECRET"]
app = FastAPI()


@app.post("/zyra")
async def receive(req: Request):
    body = await req.body()
    # --- document 002
    import hmac, hashlib
    sent = req.headers["X-Zyra-Signature"]
    expected = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(sent, expected):
        raise HTTPException(401, "bad signature")
    # ---
    return req.headers["X-Zyra-Event"]


app.serve()
