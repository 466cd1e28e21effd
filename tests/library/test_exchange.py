"""Everything goes out and comes in again, and whatever means harm stays outside."""

from __future__ import annotations

import io
import json
import zipfile

import pytest

from musicgen_ui.errors import RequestError
from musicgen_ui.library.export import JSON_NAME, export_library, zip_stream
from musicgen_ui.library.intake import import_library
from musicgen_ui.library.listing import Query
from musicgen_ui.library.shelf import Shelf
from musicgen_ui.recipe import Recipe


@pytest.fixture
def full(library, ann, clip):
    """Ann's library with something of everything."""
    clips = [
        library.clips.add(ann, clip(n, tags=("a", "b")[: n % 3], kept=n < 4, heard={"genres": {"jazz": 0.5}}))
        for n in range(6)
    ]
    for n, made in enumerate(clips):
        library.clips.like(ann, made.id, (1, 0, -1)[n % 3])
        library.clips.played(ann, made.id, n)
    library.clips.skipped(ann, clips[0].id, 0.5)
    library.playlists.create(ann, "Évening", [clips[2].id, clips[0].id, clips[2].id])
    library.playlists.delete(ann, library.playlists.create(ann, "Gone", [clips[1].id]).id)
    library.people.write(ann, "taste", {"on": True, "since": 1.5})
    library.clips.delete(ann, [clips[4].id])
    library.clips.purge(ann, now=True)  # its events stay
    library.clips.delete(ann, [clips[5].id])
    return clips


@pytest.fixture
def shelf(tmp_path):
    return Shelf(tmp_path / "shelf")


def exported(library, person, shelf=None):
    return b"".join(export_library(library, shelf, person))


def taken(library, person, data, tmp_path, shelf=None):
    path = tmp_path / "in.zip"
    path.write_bytes(data)
    return import_library(library, shelf, person, path)


def test_out_in_and_out_again_is_the_same(library, other, ann, full, shelf, rebuild, tmp_path):
    for clip in full[:3]:
        shelf.put(clip.id, lambda folder, clip=clip: rebuild(Recipe.from_dict(clip.recipe), folder))
    data = exported(library, ann, shelf)
    there = Shelf(tmp_path / "there")
    told = taken(other, ann, data, tmp_path, there)
    assert (told.clips, told.merged, told.playlists, told.files) == (5, 0, 2, 3)
    assert exported(other, ann, there) == data
    assert (there.folder(full[0].id) / "clip.wav").read_bytes() == (shelf.folder(full[0].id) / "clip.wav").read_bytes()
    names = set(zipfile.ZipFile(io.BytesIO(data)).namelist())
    assert names == {JSON_NAME} | {f"clips/{c.id}/clip.{e}" for c in full[:3] for e in ("wav", "mid", "json")}
    assert ann.encode() not in data
    again = taken(other, ann, data, tmp_path, there)
    assert (again.clips, again.merged, again.playlists, again.events) == (0, 5, 0, 0)
    assert exported(other, ann, there) == data


def test_what_is_there_already_stays_one(library, other, ann, ben, full, clip, tmp_path):
    mine = other.clips.add(ben, clip(0, title="Mine", tags=("c",), plays=5))
    other.people.write(ben, "taste", {"on": False})
    told = taken(other, ben, exported(library, ann), tmp_path)
    assert (told.clips, told.merged) == (4, 1)
    found = other.clips.get(ben, mine.id)
    assert (found.title, found.tags, found.liked, found.kept, found.plays, found.skips) == (
        "Mine", ("c",), 1, True, 6, 1
    )  # fmt: skip
    assert other.people.read(ben, "taste") == {"on": False}
    listed = other.playlists.get(ben, other.playlists.list(ben)[0].id)
    assert [clip.hash for clip in listed.clips] == [full[2].hash, full[0].hash, full[2].hash]


def test_ids_of_others_are_not_taken_over(library, ann, ben, full, tmp_path):
    data = exported(library, ann)
    told = taken(library, ben, data, tmp_path)
    assert told.clips == 5
    hers = {clip.id for clip in library.clips.list(ann, Query(size=100)).clips}
    his = {clip.id for clip in library.clips.list(ben, Query(size=100)).clips}
    assert len(his) == 4  # the fifth is deleted
    assert not hers & his
    assert exported(library, ann) == data


def test_sound_that_is_not_the_clips_is_left_out(library, other, ann, full, shelf, tmp_path):
    shelf.put(full[0].id, lambda folder: (folder / "clip.wav").write_bytes(b"another sound"))
    there = Shelf(tmp_path / "there")
    assert taken(other, ann, exported(library, ann, shelf), tmp_path, there).files == 0
    assert not there.folder(full[0].id).exists()


def test_export_takes_little_memory_at_a_time(tmp_path):
    (tmp_path / "big").write_bytes(bytes(5_000_000))

    def members():
        for n in range(3):
            yield f"{n}", False, (bytes(100_000) for _ in range(50))

    pieces = [len(piece) for piece in zip_stream(members())]
    assert sum(pieces) > 15_000_000
    assert max(pieces) < 300_000


def hostile(edit=None, more=(), raw=None, text=None):
    """An empty library's zip with something wrong."""
    values = {"format": "musicgen library", "version": 1, "clips": [], "playlists": [], "events": [], "traits": []}
    if edit:
        edit(values)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        if raw is not False:
            archive.writestr(JSON_NAME, text if text is not None else json.dumps(values))
        for name, data in more:
            archive.writestr(name, data)
    return file.getvalue()


ID = "A" * 22
BAD = {
    "no zip": b"PK\x03\x04 not really",
    "empty": b"",
    "no json": hostile(raw=False),
    "path up": hostile(more=[("../evil", b"x")]),
    "path up in clips": hostile(more=[(f"clips/{ID}/../../evil", b"x")]),
    "absolute": hostile(more=[("/etc/passwd", b"x")]),
    "other file": hostile(more=[(f"clips/{ID}/clip.exe", b"x")]),
    "bad id": hostile(more=[("clips/short/clip.wav", b"x")]),
    "line break": hostile(more=[(f"clips/{ID}/clip.wav\n", b"x")]),
    "bomb": hostile(text=b"[" + b" " * (65 * 2**20)),
    "deep": hostile(text=b"[" * 100_000),
    "no object": hostile(text=b"[]"),
    "nan": hostile(text=b'{"format": NaN}'),
    "not utf-8": hostile(text=b"\xff\xfe\x00"),
    "other format": hostile(lambda v: v.update(format="x")),
    "newer": hostile(lambda v: v.update(version=2)),
    "clips no list": hostile(lambda v: v.update(clips={})),
    "too many": hostile(lambda v: v.update(memories=[{}] * 21)),
    "clip no object": hostile(lambda v: v.update(clips=[1])),
    "event of nothing": hostile(lambda v: v.update(events=[{}])),
    "bad memory": hostile(lambda v: v.update(memories=[{"name": "../x", "value": 1}])),
    "traits bad style": hostile(lambda v: v.update(traits=[{"clip": ID, "traits": {"style": {"mood": 7}}}])),
}


@pytest.mark.parametrize("what", BAD)
def test_bad_files_change_nothing(other, ann, tmp_path, what):
    shelf = Shelf(tmp_path / "shelf")
    with pytest.raises(RequestError) as told:
        taken(other, ann, BAD[what], tmp_path, shelf)
    assert told.value.argument == "file"
    assert "\n" not in told.value.reason
    assert other.clips.list(ann).total == 0
    assert not list(shelf.root.iterdir())


CHANGES = {
    "recipe": {"seed": -1}, "hash": "x", "title": "", "made": "now", "key": "H minor", "metre": "5/8", "liked": 2,
    "origin": "stolen", "plays": -1, "seconds": 1e12, "tempo": True, "tags": "x", "heard": {"mood": "x" * 99},
    "parts": {"horn": "x"}, "kept": 1, "id": "../x", "deleted": 5, "bars": 10**30, "genre": 3, "asked": {"a": [1]},
}  # fmt: skip


@pytest.mark.parametrize("field", CHANGES)
def test_a_bad_field_is_named(library, other, ann, clip, tmp_path, field):
    library.clips.add(ann, clip())
    data = exported(library, ann)
    values = json.loads(zipfile.ZipFile(io.BytesIO(data)).read(JSON_NAME))
    values["clips"][0][field] = CHANGES[field]
    with pytest.raises(RequestError):
        taken(other, ann, hostile(lambda v: v.update(values)), tmp_path)
    del values["clips"][0][field]
    if field not in ("deleted", "key", "genre"):
        with pytest.raises(RequestError):
            taken(other, ann, hostile(lambda v: v.update(values)), tmp_path)
    assert other.clips.list(ann).total == 0
