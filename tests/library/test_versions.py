"""A library of an earlier release opens with everything in it."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import create_engine, inspect, text

from musicgen_ui.errors import RequestError
from musicgen_ui.library.database import FILE
from musicgen_ui.library.listing import Query
from musicgen_ui.library.schema import METADATA, VERSION
from musicgen_ui.library.store import Library

VERSION_1 = """
CREATE TABLE schema_version (version INTEGER NOT NULL, PRIMARY KEY (version));
CREATE TABLE person (key VARCHAR(64) NOT NULL, made BIGINT NOT NULL, PRIMARY KEY (key));
CREATE TABLE clip (id VARCHAR(22) NOT NULL, person VARCHAR(64) NOT NULL, made BIGINT NOT NULL, title TEXT NOT NULL,
 kept BOOLEAN NOT NULL, liked SMALLINT NOT NULL, plays INTEGER NOT NULL, skips INTEGER NOT NULL,
 hash VARCHAR(64) NOT NULL, seconds FLOAT NOT NULL, tempo FLOAT NOT NULL, key TEXT, metre TEXT NOT NULL,
 bars INTEGER NOT NULL, genre TEXT, loop BOOLEAN NOT NULL, origin TEXT NOT NULL, rebuilt_differs BOOLEAN NOT NULL,
 deleted BIGINT, words TEXT NOT NULL, heard_mood FLOAT, heard_energy FLOAT, heard_density FLOAT,
 heard_syncopation FLOAT, heard_complexity FLOAT, heard_brightness FLOAT, heard_space FLOAT,
 PRIMARY KEY (id), FOREIGN KEY(person) REFERENCES person (key) ON DELETE CASCADE);
CREATE INDEX clip_newest ON clip (person, made);
CREATE INDEX clip_hash ON clip (person, hash);
CREATE INDEX clip_deleted ON clip (deleted);
CREATE TABLE body (clip VARCHAR(22) NOT NULL, recipe TEXT NOT NULL, code TEXT NOT NULL, asked TEXT NOT NULL,
 heard TEXT NOT NULL, parts TEXT NOT NULL, PRIMARY KEY (clip),
 FOREIGN KEY(clip) REFERENCES clip (id) ON DELETE CASCADE);
CREATE TABLE tag (clip VARCHAR(22) NOT NULL, tag TEXT NOT NULL, PRIMARY KEY (clip, tag),
 FOREIGN KEY(clip) REFERENCES clip (id) ON DELETE CASCADE);
CREATE TABLE trait (person VARCHAR(64) NOT NULL, clip VARCHAR(22) NOT NULL, text TEXT NOT NULL,
 PRIMARY KEY (person, clip), FOREIGN KEY(person) REFERENCES person (key) ON DELETE CASCADE);
CREATE TABLE event (id {serial}, person VARCHAR(64) NOT NULL, clip VARCHAR(22) NOT NULL, kind TEXT NOT NULL,
 time BIGINT NOT NULL, at FLOAT, PRIMARY KEY (id),
 FOREIGN KEY(person, clip) REFERENCES trait (person, clip) ON DELETE CASCADE);
CREATE INDEX event_person ON event (person, id);
CREATE INDEX event_clip ON event (person, clip);
CREATE TABLE playlist (id VARCHAR(22) NOT NULL, person VARCHAR(64) NOT NULL, name TEXT NOT NULL,
 made BIGINT NOT NULL, changed BIGINT NOT NULL, deleted BIGINT, PRIMARY KEY (id),
 FOREIGN KEY(person) REFERENCES person (key) ON DELETE CASCADE);
CREATE INDEX playlist_person ON playlist (person);
CREATE TABLE item (playlist VARCHAR(22) NOT NULL, position INTEGER NOT NULL, clip VARCHAR(22) NOT NULL,
 PRIMARY KEY (playlist, position), FOREIGN KEY(playlist) REFERENCES playlist (id) ON DELETE CASCADE,
 FOREIGN KEY(clip) REFERENCES clip (id) ON DELETE CASCADE);
CREATE INDEX item_clip ON item (clip);
INSERT INTO schema_version VALUES (1);
"""


@pytest.fixture
def engine(url, tmp_path):
    """The empty database before any release has touched it."""
    if url is None:
        (tmp_path / "data").mkdir()
    engine = create_engine(url or f"sqlite:///{tmp_path / 'data' / FILE}")
    yield engine
    engine.dispose()


def make_version_1(engine, ann, clip):
    """Tables of version 1 with a liked clip in a playlist."""
    serial = "INTEGER NOT NULL" if engine.dialect.name == "sqlite" else "SERIAL NOT NULL"
    with engine.begin() as connection:
        for statement in VERSION_1.replace("{serial}", serial).split(";"):
            if statement.strip():
                connection.execute(text(statement))

        def put(table, **values):
            places = ", ".join(f":{name}" for name in values)
            connection.execute(text(f"INSERT INTO {table} ({', '.join(values)}) VALUES ({places})"), values)

        put("person", key=ann, made=1)
        put(
            "clip", id=clip.id, person=ann, made=5, title="Old", kept=True, liked=1, plays=2, skips=0, hash=clip.hash,
            seconds=30.0, tempo=110.0, metre="4/4", bars=16, loop=False, origin="made", rebuilt_differs=False,
            words="old flute", heard_mood=0.5,
        )  # fmt: skip
        texts = {name: json.dumps(dict(getattr(clip, name))) for name in ("recipe", "asked", "heard", "parts")}
        put("body", clip=clip.id, code=clip.code, **texts)
        put("tag", clip=clip.id, tag="dear")
        put("trait", person=ann, clip=clip.id, text='{"style":{},"heard":{}}')
        put("event", person=ann, clip=clip.id, kind="like", time=6)
        put("playlist", id="p" * 22, person=ann, name="List", made=7, changed=8)
        put("item", playlist="p" * 22, position=0, clip=clip.id)


def test_version_1_with_data(engine, open_library, tmp_path, ann, clip):
    old = clip(asked={"mood": 0.75}, heard={"mood": 0.5})
    make_version_1(engine, ann, old)
    library = open_library()
    found = library.clips.list(ann, Query(text="flute", tag="dear", liked=1, kept=True)).clips[0]
    assert (found.id, found.title, found.plays, found.recipe) == (old.id, "Old", 2, old.recipe)
    assert [event.kind for event in library.events.list(ann)] == ["like"]
    assert library.playlists.get(ann, "p" * 22).clips == (found,)
    with library.database.read() as connection:
        assert connection.execute(text("SELECT obeyed FROM clip")).scalar() == pytest.approx(0.75)
    library.people.write(ann, "taste", {"on": False})
    library.fingerprints.put(old.id, "chroma1", b"\x00")
    library.clips.add(ann, clip(2))
    library.clips.played(ann, old.id, 1)
    if engine.dialect.name == "sqlite":
        assert (tmp_path / "data" / f"{FILE}.version1").exists()
    library.people.forget(ann)
    assert not list(tmp_path.rglob("*.version1"))
    assert set(library.people.counts(ann).values()) == {0}


def test_an_upgraded_library_is_like_a_new_one(engine, open_library, ann, clip):
    make_version_1(engine, ann, clip())
    open_library()
    there = inspect(engine)
    assert set(there.get_table_names()) == set(METADATA.tables)
    for name, table in METADATA.tables.items():
        assert {column["name"] for column in there.get_columns(name)} == set(table.columns.keys()), name
        assert {index["name"] for index in there.get_indexes(name)} == {index.name for index in table.indexes}, name
        keys = {tuple(key["constrained_columns"]) for key in there.get_foreign_keys(name)}
        assert keys == {tuple(key.column_keys) for key in table.foreign_key_constraints}, name
        assert there.get_pk_constraint(name)["constrained_columns"] == [column.name for column in table.primary_key]


def test_a_newer_library_is_not_touched(open_library, ann, clip):
    library = open_library()
    with library.database.write() as connection:
        connection.execute(text(f"UPDATE schema_version SET version = {VERSION + 1}"))
    with pytest.raises(RequestError, match="newer release"):
        open_library()


def test_an_address_that_leads_nowhere(tmp_path):
    for url in ("no address", "unknown://x", "postgresql+psycopg://nobody@127.0.0.1:1/none"):
        with pytest.raises(RequestError) as told:
            Library(url, tmp_path)
        assert told.value.argument == "library"
