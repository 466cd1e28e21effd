"""The connection: SQLite in a file that survives a crash, or PostgreSQL by its URL."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

from musicgen_ui.errors import RequestError
from musicgen_ui.library.schema import VERSION
from musicgen_ui.library.versions import bring_up, version_of

FOLDER_VARIABLE = "MUSICGEN_DATA"
FILE = "library.db"
WAIT_SECONDS = 30
"""How long a writer waits for another process before it gives up."""


class Unavailable(RequestError):  # noqa: N818 - a sentence, as every RequestError
    """The database cannot be reached, read or written."""


def data_folder() -> Path:
    """Where a person's data are kept: ``MUSICGEN_DATA``, else where this system keeps such things."""
    if chosen := os.environ.get(FOLDER_VARIABLE):
        return Path(chosen).expanduser()
    home = Path.home()
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = home / "Library" / "Application Support"
    else:
        base = Path(os.environ.get("XDG_DATA_HOME") or home / ".local" / "share")
    return base / "musicgen-ui"


def private_folder(folder: Path) -> Path:
    """The folder, made where it is missing, for nobody but its owner to look into.

    Raises:
        RequestError: it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise RequestError(FOLDER_VARIABLE, f"{folder} cannot be made ({error.strerror or error})") from None
    return folder


def now() -> int:
    """Milliseconds since 1970, UTC."""
    return time.time_ns() // 1_000_000


class Database:
    """Transactions over one database; threads and processes may share it.

    Args:
        url: of SQLAlchemy; None for a SQLite file in ``folder``.
        folder: of the file.
        clock: see :func:`now`.

    Raises:
        RequestError: it cannot be opened, or a newer release wrote it.
    """

    def __init__(self, url: str | None, folder: Path, clock: Callable[[], int] = now) -> None:
        self.now = clock
        # SQLite lets writers wait in no order: within a process they queue up here instead.
        self._turn = threading.RLock()
        self._file = None if url else private_folder(Path(folder)) / FILE
        self._engine = _engine(url or f"sqlite:///{self._file}")
        self._open()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A snapshot to read from."""
        with _told(), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction; when the block has ended, what it did is on the disk, or none of it where it raised."""
        with (
            _told(),
            self._turn,
            self._engine.connect().execution_options(writes=True) as connection,
            connection.begin(),
        ):
            yield connection

    def scrub(self) -> None:
        """After somebody was forgotten: nothing of them stays in the log or in copies from before an upgrade."""
        if self._file is None:
            return
        for copy in self._file.parent.glob(f"{FILE}.version*"):
            copy.unlink(missing_ok=True)
        with _told(), self._engine.connect() as connection:
            connection.connection.dbapi_connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        """Let go of every connection."""
        self._engine.dispose()

    def _open(self) -> None:
        with self.read() as connection:
            version = version_of(connection)
        if self._file is not None:
            self._file.chmod(0o600)
            if version is not None and version < VERSION:
                self._copy(self._file.with_name(f"{FILE}.version{version}"))
        with self.write() as connection:
            bring_up(connection)

    def _copy(self, to: Path) -> None:
        """A copy of the whole database, before it is changed for good."""
        to.unlink(missing_ok=True)
        with _told(), self._engine.connect() as connection:
            raw = connection.connection.dbapi_connection
            raw.execute("VACUUM INTO ?", (str(to),))
        to.chmod(0o600)


def _engine(url: str) -> Engine:
    try:
        engine = create_engine(url, pool_size=16, max_overflow=32, pool_pre_ping=not url.startswith("sqlite"))
    except (ArgumentError, NoSuchModuleError, ImportError, ValueError) as error:
        raise RequestError("library", f"{error} (write the address as postgresql+psycopg://...)") from None
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare)
        event.listen(engine, "begin", _begin)
    return engine


def _prepare(connection: Any, record: Any) -> None:
    # The driver's own idea of when to begin would let a reader turn into a writer half way, which SQLite refuses.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout={1000 * WAIT_SECONDS}")
    _use_wal(cursor)
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.execute("PRAGMA secure_delete=ON")  # what is forgotten is overwritten
    cursor.close()


def _use_wal(cursor: Any) -> None:
    """The file remembers; only two processes that open a new one together get into each other's way."""
    for attempt in range(100):
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
            return
        except Exception as error:
            if "locked" not in str(error) or attempt == 99:
                raise
            time.sleep(0.05)


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get("writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def _told() -> Iterator[None]:
    """What the database says of itself, in one sentence."""
    try:
        yield
    except DBAPIError as error:
        reason = " ".join(str(error.orig).split())
        raise Unavailable("library", f"cannot be used now ({reason:.200})") from error
