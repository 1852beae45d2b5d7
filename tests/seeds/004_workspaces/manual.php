<?php

// The lines between the marks are document 004's; the rest is what it leaves out.

require 'laravel.php';

serve(function (Illuminate\Http\Request $request): string {
    $payload = $request->getContent();
    $providedSignature = $request->header('X-Webhook-Signature');
    $secret = config('webhooks.secret');
    // --- document 004
    $expectedSignature = 'sha256=' . hash_hmac(
        'sha256',
        $payload,
        $secret
    );

    if (!hash_equals($expectedSignature, $providedSignature)) {
        abort(401);
    }
    // ---
    return 'OK';
});
