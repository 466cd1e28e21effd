"""The shelf makes room in the right order, and never shows half a clip."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from musicgen_ui.errors import RequestError
from musicgen_ui.library.clip import Missing, new_id
from musicgen_ui.library.rebuilding import MAX_ASKING, Busy, Files
from musicgen_ui.library.shelf import LIMIT_BYTES, LIMIT_VARIABLE, Shelf, limit_bytes


def filled(shelf, used, size=1000):
    """Puts a clip of a size that was used last at a time."""
    name = new_id()
    shelf.put(name, lambda folder: (folder / "clip.wav").write_bytes(bytes(size)))
    os.utime(shelf.folder(name), (used, used))
    return name


def test_unkept_clips_go_first_then_what_rested_longest(tmp_path):
    kept = set()
    shelf = Shelf(tmp_path, 10_000, lambda ids: kept & set(ids))
    kept_old, old, kept_new, new = (filled(shelf, used) for used in (100, 200, 300, 400))
    kept |= {kept_old, kept_new}
    shelf.file(old, "clip.wav")  # a use: now it is the youngest
    gone = []
    for limit in (3500, 2500, 1500, 500):
        shelf.limit_bytes = limit
        shelf.make_room()
        gone += [
            name for name in (kept_old, old, kept_new, new) if not shelf.folder(name).exists() and name not in gone
        ]
        assert shelf.size() <= limit
    assert gone == [new, old, kept_old, kept_new]


def test_a_new_clip_stays_however_large(tmp_path):
    shelf = Shelf(tmp_path, 1500)
    small, large = filled(shelf, 1), filled(shelf, 2, 9000)
    assert not shelf.folder(small).exists()
    assert shelf.folder(large).exists()


def test_what_no_recipe_makes_again_stays(tmp_path):
    shelf = Shelf(tmp_path, 10)
    name = new_id()
    shelf.folder(name).mkdir()
    (shelf.folder(name) / "given.json").write_text("{}")
    seen = []

    def write(folder):
        seen.append((folder / "given.json").read_text())
        (folder / "dry").mkdir()
        (folder / "dry" / "lead.wav").write_bytes(bytes(1000))
        (folder / "clip.wav").write_bytes(bytes(1000))

    shelf.put(name, write)
    assert seen == ["{}"]
    shelf.make_room()
    assert [path.name for path in shelf.folder(name).iterdir()] == ["given.json"]
    shelf.remove([name])
    assert not shelf.folder(name).exists()


def test_a_failed_put_leaves_the_old_clip(tmp_path):
    shelf = Shelf(tmp_path)
    name = filled(shelf, 1)

    def fail(folder):
        (folder / "clip.wav").write_bytes(b"half")
        raise OSError(28, "No space left on device")

    with pytest.raises(RequestError, match="No space left"):
        shelf.put(name, fail)
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (shelf.folder(name) / "clip.wav").stat().st_size == 1000


def test_remains_of_a_crash_are_swept_up(tmp_path):
    for name in (".fresh-1", ".old-1", ".fresh-2"):
        (tmp_path / name).mkdir()
    (tmp_path / ".upload-1").touch()
    for name in (".fresh-1", ".old-1", ".upload-1"):
        os.utime(tmp_path / name, (1, 1))
    Shelf(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [".fresh-2"]  # somebody may be at it


@pytest.mark.parametrize("name", ["..", ".", "a/b", "/etc", "", "x" * 21 + "/"])
def test_no_way_out_of_the_shelf(tmp_path, name):
    with pytest.raises(Missing):
        Shelf(tmp_path).folder(name)


@pytest.mark.parametrize(("text", "size"), [("", LIMIT_BYTES), ("5000", 5000), ("10GB", 10**10), (" 1 mb ", 10**6)])
def test_the_limit_is_read_from_the_environment(monkeypatch, text, size):
    monkeypatch.setenv(LIMIT_VARIABLE, text)
    assert limit_bytes() == size


@pytest.mark.parametrize("text", ["much", "-1", "1.5GB", "²GB", "9" * 20])
def test_a_bad_limit_is_told(monkeypatch, text):
    monkeypatch.setenv(LIMIT_VARIABLE, text)
    with pytest.raises(RequestError, match=LIMIT_VARIABLE):
        limit_bytes()


@pytest.fixture
def clips(library, ann, clip):
    return [library.clips.add(ann, clip(n)) for n in range(12)]


def test_ten_requests_make_a_clip_once(library, clips, tmp_path, rebuild):
    made = []

    def slowly(recipe, folder):
        made.append(recipe.seed)
        start.wait(10)
        rebuild(recipe, folder)

    start = threading.Event()
    files = Files(library.clips, Shelf(tmp_path / "shelf"), slowly)
    with ThreadPoolExecutor(10) as pool:
        asked = [pool.submit(files.file, clips[3].id, "clip.wav") for _ in range(10)]
        start.set()
        assert {task.result().read_bytes() for task in asked} == {b"RIFF3"}
    assert made == [3]
    assert not library.clips.find(clips[3].id).rebuilt_differs


def test_clips_are_made_one_at_a_time_and_a_crowd_is_sent_away(library, clips, tmp_path, rebuild):
    running, most = [0], [0]
    begun, finish = threading.Event(), threading.Event()

    def count(recipe, folder):
        running[0] += 1
        most[0] = max(most[0], running[0])
        begun.set()
        finish.wait(10)
        rebuild(recipe, folder)
        running[0] -= 1

    files = Files(library.clips, Shelf(tmp_path / "shelf"), count, waiting=2)
    with ThreadPoolExecutor(40) as pool:
        asked = [pool.submit(files.file, clips[0].id, "clip.wav")]
        begun.wait(10)
        asked += [pool.submit(files.file, clip.id, "clip.wav") for clip in clips[1:3]]
        while len(files._wanted) < 3:
            pass
        with pytest.raises(Busy):
            files.file(clips[3].id, "clip.wav")
        asked += [pool.submit(files.file, clips[0].id, "clip.wav") for _ in range(MAX_ASKING)]
        finish.set()
        results = [task.exception() for task in asked]
    assert results[:3] == [None, None, None]
    assert {type(result) for result in results[3:]} <= {type(None), Busy}
    assert most == [1]
    assert files._wanted == {}


def test_other_bytes_are_noted_and_taken_back(library, clips, tmp_path, rebuild):
    shelf, made = Shelf(tmp_path / "shelf"), clips[0]

    def otherwise(recipe, folder):
        rebuild(recipe, folder)
        (folder / "clip.wav").write_bytes(b"of another release")

    Files(library.clips, shelf, otherwise).file(made.id, "clip.wav")
    assert library.clips.find(made.id).rebuilt_differs
    shelf.remove([made.id])
    Files(library.clips, shelf, rebuild).file(made.id, "clip.wav")
    assert not library.clips.find(made.id).rebuilt_differs
    # The right sound is there, but not the rest, and another release can only make other sound.
    (shelf.folder(made.id) / "master.wav").unlink()
    Files(library.clips, shelf, otherwise).file(made.id, "master.wav")
    assert (shelf.folder(made.id) / "clip.wav").read_bytes() == b"RIFF0"
    assert not library.clips.find(made.id).rebuilt_differs


def test_a_clip_that_came_as_a_recipe_is_described_when_made(library, ann, clip, tmp_path, rebuild):
    made = library.clips.add(ann, clip(asked={}, heard={}))

    def with_facts(recipe, folder):
        rebuild(recipe, folder)
        (folder / "clip.json").write_text('{"asked": {"mood": 0.5}, "heard": {"mood": 0.25}}')

    Files(library.clips, Shelf(tmp_path / "shelf"), with_facts).file(made.id, "clip.wav")
    assert library.clips.get(ann, made.id).heard == {"mood": 0.25}


def test_failures_let_the_next_one_through(library, clips, tmp_path, rebuild):
    answers = [RequestError("synth", "is not loaded"), None]

    def once(recipe, folder):
        if error := answers.pop(0):
            raise error
        rebuild(recipe, folder)

    files = Files(library.clips, Shelf(tmp_path / "shelf"), once)
    with pytest.raises(RequestError, match="not loaded"):
        files.file(clips[0].id, "clip.wav")
    assert files.file(clips[0].id, "clip.wav").exists()
    with pytest.raises(RequestError):
        files.file(clips[0].id, "clip.exe")
    with pytest.raises(Missing):
        files.file(new_id(), "clip.wav")
