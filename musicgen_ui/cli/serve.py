"""``serve``: the page in a browser."""

from __future__ import annotations

import argparse
import ipaddress
import re

from musicgen_ui.cli.arguments import add_engine_options, whole
from musicgen_ui.errors import RequestError


def add(commands: argparse._SubParsersAction) -> None:
    """Add the command's parser."""
    parser = commands.add_parser("serve", help="open the studio in a browser", description=__doc__)
    parser.add_argument(
        "--host", default="127.0.0.1", metavar="NAME", help="address to listen on (default: this machine only)"
    )
    parser.add_argument("--port", type=whole(1, 65_535), default=7860, metavar="N", help="default: 7860")
    add_engine_options(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Load the models, then open the page."""
    _check_host(args.host)
    raise NotImplementedError


def _check_host(host: str) -> None:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        if not re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,252})", host, re.ASCII):
            raise RequestError("--host", f"{host!r:.60} is no address or host name") from None
