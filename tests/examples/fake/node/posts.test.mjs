// A test suite of an application that sends webhooks: node --test posts.test.mjs

import assert from 'node:assert/strict';
import test from 'node:test';

import * as webhooks from './webhooks.mjs';

// The application under test.
async function createPost(title) {
  const post = { id: 123, title };
  await webhooks.publish('post.created', { object: post });
  return post;
}

test('creating a post sends a webhook', async () => {
  await webhooks.fake();
  const post = await createPost('Test');
  await webhooks.assertDispatched('post.created', (event, data) => data.object.id === post.id);
  await webhooks.assertNotDispatched('post.deleted');
});

test('a webhook that was not sent is missed', async () => {
  await webhooks.fake();
  await assert.rejects(webhooks.assertDispatched('post.created', undefined, 0), assert.AssertionError);
});
