// The lines between the marks are document 004's; the rest is what it leaves out.
const app = require('express')();
const handlePostCreated = (data) => data.object.title.length;
const handlePostUpdated = () => {};

// --- document 004
const express = require('express');
const crypto = require('crypto');

app.post('/webhooks', express.raw({type: 'application/json'}), (req, res) => {
    const payload = req.body;
    const signature = req.headers['x-webhook-signature'];
    const secret = process.env.WEBHOOK_SECRET;

    // Verify signature
    const expected = 'sha256=' + crypto
        .createHmac('sha256', secret)
        .update(payload)
        .digest('hex');

    if (!crypto.timingSafeEqual(Buffer.from(signature), Buffer.from(expected))) {
        return res.status(401).send('Invalid signature');
    }

    const event = JSON.parse(payload);

    switch (event.type) {
        case 'post.created':
            handlePostCreated(event.data);
            break;
        case 'post.updated':
            handlePostUpdated(event.data);
            break;
    }

    res.json({received: true});
});
// ---

app.listen();
