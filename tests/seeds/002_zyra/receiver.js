// The lines between the marks are document 002's; the rest is what it leaves out.
const crypto = require('crypto');
const express = require('express');

const SECRET = process.env.WEBHOOK_SECRET;
const app = express();
app.use(express.raw({ type: 'application/json' }));

app.post('/zyra', (req, res) => {
  const sent = req.headers['x-zyra-signature'];
  // --- document 002
  const expected = crypto.createHmac("sha256", SECRET)
  .update(req.body).digest("hex");
  if (!crypto.timingSafeEqual(Buffer.from(sent), Buffer.from(expected))) {
  return res.status(401).end();
  }
  // ---
  res.send(req.headers['x-zyra-event']);
});

app.listen();
