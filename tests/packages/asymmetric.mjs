// Verifies a recorded request of the asymmetric form of Standard Webhooks with Node's own Ed25519, as no package of npm
// that is widely used does. `WEBHOOK_SECRET` is the public key.
import { createPublicKey, verify } from 'node:crypto';
import { createRequire } from 'node:module';

const { recorded, answer } = createRequire(`${process.cwd()}/`)('recorded');

const { headers, bytes } = recorded();
const raw = Buffer.from(process.env.WEBHOOK_SECRET.slice('whpk_'.length), 'base64');
const jwk = { kty: 'OKP', crv: 'Ed25519', x: raw.toString('base64url') };
const key = createPublicKey({ key: jwk, format: 'jwk' });
const [id, timestamp, signatures] = ['id', 'timestamp', 'signature'].map((part) => headers[`webhook-${part}`]);
if (!id || !timestamp || !signatures) answer(401, 'a header is missing');
const signed = Buffer.concat([Buffer.from(`${id}.${timestamp}.`), bytes]);
const holds = signatures.split(' ').some((signature) => {
  const [version, text] = signature.split(',');
  return version === 'v1a' && verify(null, signed, key, Buffer.from(text, 'base64'));
});
answer(holds ? 200 : 401, holds ? 'v1a' : 'no signature holds');
