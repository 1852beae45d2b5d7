// Verifies a recorded request with the `standardwebhooks` of npm.
import { createRequire } from 'node:module';
import { Webhook, WebhookVerificationError } from 'standardwebhooks';

const { recorded, answer } = createRequire(`${process.cwd()}/`)('recorded');

const { headers, bytes } = recorded();
try {
  const event = new Webhook(process.env.WEBHOOK_SECRET).verify(bytes, headers);
  answer(200, event.type);
} catch (error) {
  if (!(error instanceof WebhookVerificationError)) throw error;
  answer(401, error.message);
}
