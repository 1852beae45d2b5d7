<?php

// What document 004's receivers use of Laravel. `serve` answers the recorded request instead of waiting for one.

namespace Illuminate\Http {
    class Request
    {
        private array $headers = [];

        public function __construct(string $head, private string $body)
        {
            foreach (array_slice(explode("\r\n", $head), 1) as $field) {
                [$name, $value] = explode(':', $field, 2);
                $this->headers[strtolower($name)] = trim($value);
            }
        }

        public function getContent(): string
        {
            return $this->body;
        }

        public function header(string $name): ?string
        {
            return $this->headers[strtolower($name)] ?? null;
        }

        public function input(string $key): mixed
        {
            return json_decode($this->body, true, flags: JSON_THROW_ON_ERROR)[$key] ?? null;
        }
    }
}

namespace App\Http\Controllers {
    class Controller
    {
    }
}

namespace {
    class HttpException extends Exception
    {
    }

    function abort(int $status, string $text = ''): never
    {
        throw new HttpException($text, $status);
    }

    function config(string $name): mixed
    {
        return ['webhooks.secret' => getenv('WEBHOOK_SECRET')][$name];
    }

    function response(): object
    {
        return new class {
            public function json(array $value): string
            {
                return json_encode($value);
            }
        };
    }

    function answer(int $status, string $text): never
    {
        echo "$status $text\n";
        exit($status >= 200 && $status < 300 ? 0 : 1);
    }

    function serve(callable $handle): never
    {
        [$head, $body] = explode("\r\n\r\n", file_get_contents($_SERVER['argv'][1]), 2);
        try {
            $answer = $handle(new Illuminate\Http\Request($head, $body));
        } catch (HttpException $error) {
            answer($error->getCode(), $error->getMessage());
        } catch (Throwable $error) {
            answer(500, get_class($error) . ': ' . $error->getMessage());
        }
        answer(200, $answer);
    }
}
