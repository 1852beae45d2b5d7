// Has a recorded request verified and read by the check of Stripe's own package.
import { createRequire } from 'node:module';
import Stripe from 'stripe';

const { recorded, answer } = createRequire(`${process.cwd()}/`)('recorded');

const { headers, bytes } = recorded();
try {
  const event = Stripe.webhooks.constructEvent(bytes, headers['stripe-signature'], process.env.WEBHOOK_SECRET);
  answer(200, JSON.stringify({ type: event.type, object: event.object, data: event.data }));
} catch (error) {
  if (!(error instanceof Stripe.errors.StripeSignatureVerificationError)) throw error;
  answer(401, error.message.split('\n')[0]);
}
