"""``serve``: the page in a browser."""

from __future__ import annotations

import argparse
import errno
import socket

from musicgen_ui.cli.arguments import add_engine_options, load_studio, whole
from musicgen_ui.errors import RequestError


def add(commands: argparse._SubParsersAction) -> None:
    """Add the command's parser."""
    parser = commands.add_parser("serve", help="open the studio in a browser", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", metavar="NAME", help="address to listen on; default: 127.0.0.1")
    parser.add_argument("--port", type=whole(1, 65_535), default=7860, metavar="N", help="default: 7860")
    add_engine_options(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Load and warm up the models, then open the page, until Ctrl-C."""
    check_address(args.host, args.port)
    studio = load_studio(args, log=lambda line: print(line, flush=True))
    from musicgen_ui.server.hearing import warm_up
    from musicgen_ui.server.listen import serve
    from musicgen_ui.server.opening import open_services
    from musicgen_ui.ui.site import site

    whole = site(open_services(studio))
    warm_up()
    print(f"The studio is open: http://{args.host}:{args.port}", flush=True)
    serve(whole.app, args.host, args.port)


def check_address(host: str, port: int) -> None:
    """Finds out in a moment, not after loading, whether the address can be listened on.

    Raises:
        RequestError: no such address on this machine, or the port is taken.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            # As servers do, so that a port is not refused for a minute after the last one closed it.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(address)
            except PermissionError:
                raise RequestError("--port", f"{port} may only be used by an administrator; try 7860") from None
            except OSError as error:
                argument, value = ("--port", port) if error.errno == errno.EADDRINUSE else ("--host", host)
                raise RequestError(argument, f"{value} cannot be used ({error.strerror})") from None
    except (socket.gaierror, UnicodeError):
        raise RequestError("--host", f"{host!r:.60} is no address or host name") from None
