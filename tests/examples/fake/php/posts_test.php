<?php

// A test suite of an application that sends webhooks. It ends with an error if one of its tests fails.

require __DIR__ . '/Webhooks.php';

/** The application under test. */
function createPost(string $title): array
{
    $post = ['id' => 123, 'title' => $title];
    Webhooks::publish('post.created', ['object' => $post]);
    return $post;
}

$tests = [
    'creating a post sends a webhook' => function () {
        Webhooks::fake();
        $post = createPost('Test');
        Webhooks::assertDispatched('post.created', fn ($event, $data) => $data['object']['id'] === $post['id']);
        Webhooks::assertNotDispatched('post.deleted');
    },
    'a webhook that was not sent is missed' => function () {
        Webhooks::fake();
        try {
            Webhooks::assertDispatched('post.created', within: 0);
        } catch (RuntimeException) {
            return;
        }
        throw new LogicException('nothing was sent, and nobody missed it');
    },
];

foreach ($tests as $name => $test) {
    $test();
    echo "ok $name\n";
}
