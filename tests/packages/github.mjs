// Verifies a recorded request with GitHub's own `@octokit/webhooks-methods`.
import { createRequire } from 'node:module';
import { verify } from '@octokit/webhooks-methods';

const { recorded, answer } = createRequire(`${process.cwd()}/`)('recorded');

const { headers, bytes } = recorded();
try {
  const signature = headers['x-hub-signature-256'];
  const holds = await verify(process.env.WEBHOOK_SECRET, bytes.toString('utf8'), signature);
  answer(holds ? 200 : 401, headers['x-github-event']);
} catch (error) {
  // It throws when it is given no signature.
  answer(400, error.message);
}
