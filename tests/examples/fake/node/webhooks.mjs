// webhooks.fake() and assertDispatched() for a test suite in JavaScript; Node alone is enough.
//
// It needs, on any machine of the test:
//
//     postrider serve --dev
//     postrider listen --record --secret $WEBHOOK_SECRET

import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';

const { POSTRIDER_KEY, WEBHOOK_SECRET } = process.env;
const API = `${process.env.POSTRIDER_URL ?? 'http://127.0.0.1:8383'}/api/v1`;
const LISTENER = process.env.LISTENER_URL ?? 'http://127.0.0.1:8384';

async function call(method, url, body, allow = []) {
  const headers = { 'Content-Type': 'application/json' };
  if (url.startsWith(API)) headers.Authorization = `Bearer ${POSTRIDER_KEY}`;
  const answer = await fetch(url, { method, headers, body: body && JSON.stringify(body) });
  const text = await answer.text();
  assert.ok(answer.ok || allow.includes(answer.status), `${method} ${url}: ${answer.status} ${text}`);
  return { status: answer.status, json: text ? JSON.parse(text) : null };
}

// What the application under test does when something has happened.
export async function publish(type, data) {
  return (await call('POST', `${API}/events`, { type, data })).json;
}

// Sends all webhooks to the listener, and forgets what it has received before.
export async function fake() {
  const endpoint = { url: `${LISTENER}/hook`, events: ['*'], secret: WEBHOOK_SECRET };
  const { status } = await call('PATCH', `${API}/endpoints/fake`, endpoint, [404]);
  if (status === 404) await call('POST', `${API}/endpoints`, { uid: 'fake', ...endpoint });
  await call('DELETE', `${LISTENER}/received`);
}

async function received(type) {
  return (await call('GET', `${LISTENER}/received?type=${encodeURIComponent(type)}`)).json;
}

// Waits for a webhook of this type, with a good signature, that `matches`.
export async function assertDispatched(type, matches = () => true, within = 10_000) {
  const deadline = Date.now() + within;
  for (let seen = 0; ; await sleep(20)) {
    const came = (await call('GET', `${LISTENER}/received/count?type=${encodeURIComponent(type)}`)).json;
    // Those that were dropped as well, or nothing would count as new once the listener is full.
    if (came.count + came.dropped > seen) {
      seen = came.count + came.dropped;
      if ((await received(type)).some((event) => event.verified && matches(event, event.data))) return;
    }
    if (Date.now() > deadline) {
      assert.fail(`no ${type} was sent that fits, but: ${JSON.stringify(await received('*'))}`);
    }
  }
}

// Whether none of this type has come so far; assert first what has to come.
export async function assertNotDispatched(type) {
  assert.deepEqual(await received(type), []);
}
