<?php

/**
 * Webhooks::fake() and Webhooks::assertDispatched() for a test suite in PHP; nothing has to be installed for it.
 *
 * It needs, on any machine of the test:
 *
 *     postrider serve --dev
 *     postrider listen --record --secret $WEBHOOK_SECRET
 */
final class Webhooks
{
    /** What the application under test does when something has happened. */
    public static function publish(string $type, array $data): array
    {
        return self::call('POST', self::api('/events'), ['type' => $type, 'data' => $data])[1];
    }

    /** Sends all webhooks to the listener, and forgets what it has received before. */
    public static function fake(): void
    {
        $endpoint = ['url' => self::listener('/hook'), 'events' => ['*'], 'secret' => getenv('WEBHOOK_SECRET')];
        [$status] = self::call('PATCH', self::api('/endpoints/fake'), $endpoint, [404]);
        if ($status === 404) {
            self::call('POST', self::api('/endpoints'), ['uid' => 'fake'] + $endpoint);
        }
        self::call('DELETE', self::listener('/received'));
    }

    /** Waits for a webhook of this type, with a good signature, that $matches. */
    public static function assertDispatched(string $type, ?callable $matches = null, float $within = 10): void
    {
        $deadline = microtime(true) + $within;
        for ($seen = 0; ; usleep(20_000)) {
            $came = self::call('GET', self::listener('/received/count?type=' . urlencode($type)))[1];
            // Those that were dropped as well, or nothing would count as new once the listener is full.
            if ($came['count'] + $came['dropped'] > $seen) {
                $seen = $came['count'] + $came['dropped'];
                foreach (self::received($type) as $event) {
                    if ($event['verified'] && ($matches === null || $matches($event, $event['data']))) {
                        return;
                    }
                }
            }
            if (microtime(true) > $deadline) {
                throw new RuntimeException("no $type was sent that fits, but: " . json_encode(self::received('*')));
            }
        }
    }

    /** Whether none of this type has come so far; assert first what has to come. */
    public static function assertNotDispatched(string $type): void
    {
        $came = self::received($type);
        if ($came !== []) {
            throw new RuntimeException("$type was sent: " . json_encode($came));
        }
    }

    private static function received(string $type): array
    {
        return self::call('GET', self::listener('/received?type=' . urlencode($type)))[1];
    }

    private static function api(string $path): string
    {
        return (getenv('POSTRIDER_URL') ?: 'http://127.0.0.1:8383') . '/api/v1' . $path;
    }

    private static function listener(string $path): string
    {
        return (getenv('LISTENER_URL') ?: 'http://127.0.0.1:8384') . $path;
    }

    private static function call(string $method, string $url, ?array $body = null, array $allow = []): array
    {
        $headers = ['Content-Type: application/json'];
        if (str_starts_with($url, self::api(''))) {
            $headers[] = 'Authorization: Bearer ' . getenv('POSTRIDER_KEY');
        }
        $http = ['method' => $method, 'header' => $headers, 'ignore_errors' => true];
        if ($body !== null) {
            $http['content'] = json_encode($body);
        }
        $text = file_get_contents($url, false, stream_context_create(['http' => $http]));
        $status = (int) explode(' ', $http_response_header[0])[1];
        if ($text === false || ($status >= 300 && !in_array($status, $allow, true))) {
            throw new RuntimeException("$method $url: $status $text");
        }
        return [$status, json_decode($text, true)];
    }
}
