<?php

// The lines between the marks are document 004's, but for the beginning of the first: the document has lost what stood
// before `verifySignature($request)`. `if (!$this->`, the class and the method around it are made up from what follows, and
// so is what the document leaves out.

namespace App\Http\Controllers;

require 'laravel.php';

use Illuminate\Http\Request;

class WebhookController extends Controller
{
    public function handle(Request $request)
    {
        // --- document 004
        if (!$this->verifySignature($request)) {
            abort(401, 'Invalid signature');
        }

        $event = $request->input('type');
        $data = $request->input('data');

        match ($event) {
            'post.created' => $this->handlePostCreated($data),
            'post.updated' => $this->handlePostUpdated($data),
            default => null,
        };

        return response()->json(['received' => true]);
    }

    protected function verifySignature(Request $request): bool
    {
        $payload = $request->getContent();
        $signature = $request->header('X-Webhook-Signature');
        $secret = config('webhooks.secret');

        $expected = 'sha256=' . hash_hmac('sha256', $payload, $secret);

        return hash_equals($expected, $signature);
    }
    // ---

    private function handlePostCreated(array $data): void
    {
        assert(is_string($data['object']['title']));
    }

    private function handlePostUpdated(array $data): void
    {
    }
}

serve([new WebhookController(), 'handle']);
