"""How our routes take and give: bounded bodies, and every refusal one sentence."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError, StarletteHTTPException
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute

from musicgen_ui.errors import RequestError
from musicgen_ui.library.clip import Missing
from musicgen_ui.library.database import Unavailable
from musicgen_ui.library.rebuilding import Busy

LOG = logging.getLogger(__name__)

MAX_BODY = 256 * 1024
BAD, UNKNOWN, NOT_FOUND, TOO_LARGE, BROKEN, BUSY = 400, 401, 404, 413, 500, 503

BUSY_SECONDS = 10
"""When to ask again after :class:`Busy`."""


class Unknown(RequestError):  # noqa: N818 - a sentence, as every RequestError
    """Nobody says who asks."""


class TooLarge(RequestError):  # noqa: N818 - a sentence, as every RequestError
    """More was sent than is taken."""


STATUS = (
    (Unknown, UNKNOWN),
    (Missing, NOT_FOUND),
    (TooLarge, TOO_LARGE),
    (Busy, BUSY),
    (Unavailable, BUSY),
    (RequestError, BAD),
)


def refusal(error: RequestError) -> JSONResponse:
    """``{"error": sentence, "argument": name}`` with the status that fits."""
    status = next(status for kind, status in STATUS if isinstance(error, kind))
    headers = {"Retry-After": str(BUSY_SECONDS)} if status == BUSY else {}
    sentence = f"{error.argument}: {error.reason}"
    return JSONResponse({"error": sentence, "argument": error.argument}, status, headers)


class BoundedRequest(Request):
    """A request whose body ends at MAX_BODY, and whose JSON has no traps."""

    async def body(self) -> bytes:
        """The body.

        Raises:
            TooLarge: it is longer than MAX_BODY.
        """
        if not hasattr(self, "_bounded"):
            held = bytearray()
            async for chunk in self.stream():
                held += chunk
                if len(held) > MAX_BODY:
                    raise TooLarge("body", f"at most {MAX_BODY // 1024} KB are taken")
            self._bounded = bytes(held)
        return self._bounded

    async def json(self) -> Any:
        """The body as JSON.

        Raises:
            RequestError: it is none.
        """
        try:
            return json.loads(await self.body(), parse_constant=_refuse)
        except (ValueError, RecursionError) as error:
            if isinstance(error, RequestError):
                raise
            raise RequestError("body", "must be JSON") from None


def _refuse(name: str) -> Any:
    raise RequestError("body", f"{name} is not a number")


class StudioRoute(APIRoute):
    """A route that answers every refusal and every failure with JSON: ``APIRouter(route_class=StudioRoute)``."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        inner = super().get_route_handler()

        async def answer(request: Request) -> Response:
            try:
                return await inner(BoundedRequest(request.scope, request.receive))
            except RequestError as error:
                return refusal(error)
            except RequestValidationError as error:
                return refusal(RequestError(*_first(error)))
            except StarletteHTTPException as error:
                # What FastAPI says of a body that could not be read hides why.
                if isinstance(error.__cause__, RequestError):
                    return refusal(error.__cause__)
                return JSONResponse({"error": str(error.detail), "argument": "body"}, error.status_code)
            except Exception:
                LOG.exception("%s %s failed", request.method, request.url.path)
                return JSONResponse({"error": "Something went wrong here.", "argument": ""}, BROKEN)

        return answer


def _first(error: RequestValidationError) -> tuple[str, str]:
    """Name and reason of the first thing that was wrong."""
    fault = error.errors()[0]
    place = [str(step) for step in fault.get("loc", ())]
    if place == ["body"]:
        return "body", "must be a JSON object, sent as application/json"
    return (place[-1] if place else "request", str(fault.get("msg", "cannot be read")).lower())
