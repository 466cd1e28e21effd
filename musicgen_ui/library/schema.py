"""The tables. Whoever changes one raises VERSION and adds a step to :mod:`musicgen_ui.library.versions`."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
)

VERSION = 2

METADATA = MetaData()

HEARD = ("mood", "energy", "density", "syncopation", "complexity", "brightness", "space")
"""Sliders whose heard value a list can be filtered by: a column each."""

ID = String(22)
PERSON = String(64)


def _owner() -> Column:
    return Column("person", PERSON, ForeignKey("person.key", ondelete="CASCADE"), nullable=False)


SCHEMA = Table("schema_version", METADATA, Column("version", Integer, primary_key=True, autoincrement=False))

PEOPLE = Table(
    "person",
    METADATA,
    Column("key", PERSON, primary_key=True),  # SHA-256 of the token, which nobody keeps
    Column("made", BigInteger, nullable=False),
)

# What a list is filtered and sorted by, and nothing bulky: a search reads all rows of a person.
CLIPS = Table(
    "clip",
    METADATA,
    Column("id", ID, primary_key=True),
    _owner(),
    Column("made", BigInteger, nullable=False),  # milliseconds since 1970, UTC, as every time here
    Column("title", Text, nullable=False),
    Column("kept", Boolean, nullable=False),
    Column("liked", SmallInteger, nullable=False),
    Column("plays", Integer, nullable=False),
    Column("skips", Integer, nullable=False),
    Column("hash", String(64), nullable=False),
    Column("seconds", Float, nullable=False),
    Column("tempo", Float, nullable=False),
    Column("key", Text),
    Column("metre", Text, nullable=False),
    Column("bars", Integer, nullable=False),
    Column("genre", Text),
    Column("loop", Boolean, nullable=False),
    Column("origin", Text, nullable=False),
    Column("rebuilt_differs", Boolean, nullable=False),
    Column("deleted", BigInteger),
    Column("words", Text, nullable=False),  # title, tags, genre, key, instruments in small letters, to search in
    *(Column(f"heard_{name}", Float) for name in HEARD),
    Column("obeyed", Float),  # 1: heard as asked; None where nothing was asked
    Index("clip_newest", "person", "made"),
    Index("clip_hash", "person", "hash"),
    Index("clip_deleted", "deleted"),
)

BODIES = Table(
    "body",
    METADATA,
    Column("clip", ID, ForeignKey("clip.id", ondelete="CASCADE"), primary_key=True),
    Column("recipe", Text, nullable=False),  # canonical JSON
    Column("code", Text, nullable=False),
    Column("asked", Text, nullable=False),
    Column("heard", Text, nullable=False),
    Column("parts", Text, nullable=False),
)

TAGS = Table(
    "tag",
    METADATA,
    Column("clip", ID, ForeignKey("clip.id", ondelete="CASCADE"), primary_key=True),
    Column("tag", Text, primary_key=True),
)

# What a clip was like, for its events: they are remembered longer than the clip itself.
TRAITS = Table(
    "trait",
    METADATA,
    Column("person", PERSON, ForeignKey("person.key", ondelete="CASCADE"), primary_key=True),
    Column("clip", ID, primary_key=True),
    Column("text", Text, nullable=False),
)

EVENTS = Table(
    "event",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("person", PERSON, nullable=False),
    Column("clip", ID, nullable=False),
    Column("kind", Text, nullable=False),
    Column("time", BigInteger, nullable=False),
    Column("at", Float),  # seconds into the clip
    ForeignKeyConstraint(["person", "clip"], ["trait.person", "trait.clip"], ondelete="CASCADE"),
    Index("event_person", "person", "id"),
    Index("event_clip", "person", "clip"),
)

PLAYLISTS = Table(
    "playlist",
    METADATA,
    Column("id", ID, primary_key=True),
    _owner(),
    Column("name", Text, nullable=False),
    Column("made", BigInteger, nullable=False),
    Column("changed", BigInteger, nullable=False),
    Column("deleted", BigInteger),
    Index("playlist_person", "person"),
)

ITEMS = Table(
    "item",
    METADATA,
    Column("playlist", ID, ForeignKey("playlist.id", ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("clip", ID, ForeignKey("clip.id", ondelete="CASCADE"), nullable=False),
    Index("item_clip", "clip"),
)

MEMORIES = Table(
    "memory",
    METADATA,
    Column("person", PERSON, ForeignKey("person.key", ondelete="CASCADE"), primary_key=True),
    Column("name", Text, primary_key=True),
    Column("text", Text, nullable=False),  # JSON: settings, what was learned of the person
)

FINGERPRINTS = Table(
    "fingerprint",
    METADATA,
    Column("clip", ID, ForeignKey("clip.id", ondelete="CASCADE"), primary_key=True),
    Column("kind", Text, primary_key=True),  # which features, and which version of them
    Column("data", LargeBinary, nullable=False),
)
