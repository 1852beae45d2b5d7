"""The request of the file that is named on the command line, and the end of the process that judged it."""

import sys
from email.parser import BytesHeaderParser


class Recorded:
    def __init__(self):
        with open(sys.argv[1], "rb") as file:
            head, self.body = file.read().split(b"\r\n\r\n", 1)
        line, fields = head.split(b"\r\n", 1)
        self.method, self.path, _ = line.decode().split(" ")
        # A mapping whose keys have no case, as those of the frameworks; `[]` of a missing one is made to raise.
        self.headers = Headers(BytesHeaderParser().parsebytes(fields).items())


class Headers(dict):
    def __init__(self, items):
        super().__init__((name.lower(), value) for name, value in items)

    def __getitem__(self, name):
        return super().__getitem__(name.lower())

    def get(self, name, default=None):
        return super().get(name.lower(), default)


def answer(status, text):
    print(status, text, flush=True)
    sys.exit(0 if 200 <= status < 300 else 1)
