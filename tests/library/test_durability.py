"""What was acknowledged is on the disk, whatever happens to the program; and writers wait for each other."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from musicgen_ui.library.database import Database, Unavailable
from musicgen_ui.library.listing import Query
from musicgen_ui.library.store import Library

LIKER = """
import sys
from pathlib import Path
from musicgen_ui.library.store import Library

url, folder, person, *clips = sys.argv[1:]
library = Library(url or None, Path(folder))
print("ready", flush=True)
for round in range(10**9):
    for clip in clips:
        liked = (1, -1, 0)[round % 3]
        library.clips.like(person, clip, liked)
        sys.stdout.write(f"{clip} {liked}\\n")
        sys.stdout.flush()
"""


def child(code: str, *arguments: str) -> subprocess.Popen:
    return subprocess.Popen([sys.executable, "-c", code, *arguments], stdout=subprocess.PIPE, text=True, bufsize=1)


def test_acknowledged_likes_survive_a_kill(open_library, url, tmp_path, ann, clip, rng):
    library = open_library()
    clips = [library.clips.add(ann, clip(n)).id for n in range(3)]
    library.close()
    liker = child(LIKER, url or "", str(tmp_path / "data"), ann, *clips)
    assert liker.stdout.readline() == "ready\n"
    time.sleep(float(rng.uniform(0.1, 0.5)))
    os.kill(liker.pid, signal.SIGKILL)
    told = [line.split() for line in liker.stdout.read().splitlines(keepends=True) if line.endswith("\n")]
    liker.wait()
    assert told
    library = open_library()
    events = library.events.list(ann)
    kinds = {"1": "like", "-1": "dislike", "0": "neutral"}
    # At most one more than was told: done, but killed before it could say so.
    assert [(e.clip, e.kind) for e in events[: len(told)]] == [(name, kinds[liked]) for name, liked in told]
    assert len(events) - len(told) in (0, 1)
    last = {event.clip: event.kind for event in events}
    assert {c.id: kinds[str(c.liked)] for c in library.clips.list(ann).clips if c.id in last} == last


PLAYER = """
import sys
from pathlib import Path
from musicgen_ui.library.store import Library

url, folder, person, clip = sys.argv[1:]
library = Library(url or None, Path(folder))
for _ in range(60):
    library.clips.played(person, clip, 1.0)
print("done", flush=True)
"""


def test_threads_and_processes_write_at_once(open_library, url, tmp_path, ann, clip):
    library = open_library()
    made = library.clips.add(ann, clip())
    players = [child(PLAYER, url or "", str(tmp_path / "data"), ann, made.id) for _ in range(2)]
    with ThreadPoolExecutor(6) as pool:
        done = [pool.submit(library.clips.played, ann, made.id, 1.0) for _ in range(120)]
        read = [pool.submit(library.clips.list, ann, Query()) for _ in range(30)]
        for task in (*done, *read):
            task.result()
    assert [player.communicate()[0] for player in players] == ["done\n", "done\n"]
    assert library.clips.get(ann, made.id).plays == 120 + 2 * 60
    assert len(library.events.list(ann)) == 240


MAKER = """
import sys
from pathlib import Path
from musicgen_ui.library.store import Library

Library(None, Path(sys.argv[1]))
"""


def test_two_processes_may_make_the_library_together(tmp_path):
    makers = [child(MAKER, str(tmp_path / "new")) for _ in range(2)]
    assert [maker.wait() for maker in makers] == [0, 0]


def test_a_failed_write_leaves_nothing(library, ann, clip):
    made = library.clips.add(ann, clip())

    def fail() -> None:
        with library.database.write() as connection:
            connection.exec_driver_sql("DELETE FROM clip")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert library.clips.get(ann, made.id) == made


def test_every_commit_is_synced(tmp_path):
    database = Database(None, tmp_path)
    with database.read() as connection:
        found = {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in PRAGMAS}
    assert found == PRAGMAS


PRAGMAS = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 30_000, "secure_delete": 1}


def test_a_person_alone_may_look(tmp_path):
    Database(None, tmp_path / "data")
    assert (tmp_path / "data").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "data" / "library.db").stat().st_mode & 0o777 == 0o600


def test_a_damaged_file_is_told_in_a_sentence(tmp_path):
    (tmp_path / "library.db").write_bytes(b"no database at all" * 100)
    with pytest.raises(Unavailable, match="cannot be used"):
        Library(None, tmp_path)


def test_a_reader_does_not_stop_a_writer(library, ann, clip):
    made = library.clips.add(ann, clip())
    with library.database.read() as connection:
        before = connection.exec_driver_sql("SELECT plays FROM clip").scalar()
        writer = threading.Thread(target=library.clips.played, args=(ann, made.id, 1.0))
        writer.start()
        writer.join(20)
        assert not writer.is_alive()
    assert library.clips.get(ann, made.id).plays == before + 1
