"""The studio as a Gradio app: loads the models once, warms them up, then opens the page.

``python app.py --port 7861`` runs it on this machine, and a Space runs it as it is. ``app`` is the
whole site and ``demo`` the page in it, for whatever imports this file.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from musicgen_ui.cli.arguments import OneLineParser, add_engine_options, load_studio, whole
from musicgen_ui.errors import RequestError
from musicgen_ui.server.hearing import warm_up
from musicgen_ui.server.listen import serve
from musicgen_ui.server.opening import open_services
from musicgen_ui.ui.site import site


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """Options of the app. In a Space the page must be reachable from outside its container."""
    parser = OneLineParser(prog="app.py", description="Open the music studio in a browser.")
    host = "0.0.0.0" if "SPACE_ID" in os.environ else "127.0.0.1"
    parser.add_argument("--host", default=host, metavar="NAME", help=f"address to listen on; default: {host}")
    parser.add_argument("--port", type=whole(1, 65_535), default=7860, metavar="N", help="default: 7860")
    add_engine_options(parser)
    return parser.parse_args(argv)


def say(line: str) -> None:
    """One line on the console, at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


try:
    options = parse(sys.argv[1:] if __name__ == "__main__" else [])
    whole = site(open_services(load_studio(options, log=say)))
    demo, app = whole.demo, whole.app
except RequestError as error:
    sys.stderr.write(f"error: {error}\n")
    sys.exit(2)

if __name__ == "__main__":
    warm_up()
    say(f"The studio is open: http://{options.host}:{options.port}")
    serve(app, options.host, options.port)
