"""A test suite of an application that sends webhooks. It ends with an error if one of its tests fails."""

import webhooks


def create_post(title):
    """The application under test."""
    post = {"id": 123, "title": title}
    webhooks.publish("post.created", {"object": post})
    return post


def test_creating_a_post_sends_a_webhook():
    webhooks.fake()
    post = create_post("Test")
    webhooks.assert_dispatched("post.created", lambda event, data: data["object"]["id"] == post["id"])
    webhooks.assert_not_dispatched("post.deleted")


def test_a_webhook_that_was_not_sent_is_missed():
    webhooks.fake()
    try:
        webhooks.assert_dispatched("post.created", within=0)
    except AssertionError:
        return
    raise AssertionError("nothing was sent, and nobody missed it")


if __name__ == "__main__":
    for name, test in list(globals().items()):
        if name.startswith("test_"):
            test()
            print("ok", name)
