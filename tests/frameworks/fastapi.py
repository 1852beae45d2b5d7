"""What document 002's receiver uses of FastAPI. `serve` answers the recorded request, as uvicorn would all."""

import asyncio

from recorded import Recorded, answer


class HTTPException(Exception):
    def __init__(self, status_code, detail):
        super().__init__(detail)
        self.status_code = status_code


class Request:
    def __init__(self, recorded):
        self.headers = recorded.headers
        self._body = recorded.body

    async def body(self):
        return self._body


class FastAPI:
    def __init__(self):
        self._posts = {}

    def post(self, path):
        def add(view):
            self._posts[path] = view
            return view

        return add

    def serve(self):
        recorded = Recorded()
        view = self._posts.get(recorded.path) if recorded.method == "POST" else None
        if view is None:
            answer(404, "no view for it")
        try:
            result = asyncio.run(view(Request(recorded)))
        except HTTPException as error:
            answer(error.status_code, error)
        except Exception as error:
            answer(500, repr(error))
        answer(200, result)
