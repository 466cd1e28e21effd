"""Answering requests on an address: until Ctrl-C, or on a thread of its own."""

from __future__ import annotations

import sys
import threading
import time
from typing import Any

import uvicorn

START_SECONDS = 30.0

SWITCH_SECONDS = 0.001


def configuration(app: Any, host: str, port: int) -> uvicorn.Config:
    """How the site is served: quietly, and trusting no header of a proxy that was not named in the environment."""
    return uvicorn.Config(app, host=host, port=port, log_level="warning", timeout_graceful_shutdown=2)


def serve(app: Any, host: str, port: int) -> None:
    """Serve until Ctrl-C."""
    # The composer lets go of the interpreter at every small step and has to wait for it to come back: not so long.
    sys.setswitchinterval(SWITCH_SECONDS)
    uvicorn.Server(configuration(app, host, port)).run()


class Listening:
    """A server on a thread of its own.

    Args:
        app: the site.
        host: address.
        port: 0 for any that is free.
    """

    def __init__(self, app: Any, host: str = "127.0.0.1", port: int = 0) -> None:
        self._server = uvicorn.Server(configuration(app, host, port))
        self._thread = threading.Thread(target=self._server.run, name="musicgen-server", daemon=True)
        self._thread.start()
        deadline = time.monotonic() + START_SECONDS
        while not self._server.started:
            if time.monotonic() > deadline or not self._thread.is_alive():
                raise RuntimeError("the server did not start")
            time.sleep(0.02)
        taken = self._server.servers[0].sockets[0].getsockname()[1]
        self.url = f"http://{host}:{taken}/"

    def close(self) -> None:
        """Stop answering."""
        self._server.should_exit = True
        self._thread.join(timeout=10.0)
