// Verifies a recorded request with GitHub's own `@octokit/webhooks-methods`.
import { createRequire } from 'node:module';
import { verify } from '@octokit/webhooks-methods';

const { recorded, answer } = createRequire(`${process.cwd()}/`)('recorded');

const { headers, bytes } = recorded();
const signature = headers['x-hub-signature-256'];
// The package throws when it is given none; its middleware answers 400 before it asks.
if (signature === undefined) answer(400, 'a header is missing');
const holds = await verify(process.env.WEBHOOK_SECRET, bytes.toString('utf8'), signature);
answer(holds ? 200 : 401, headers['x-github-event']);
