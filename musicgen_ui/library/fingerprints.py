"""What clips sound like, as bytes that whoever compares them reads: they go with their clips."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy import delete, select

from musicgen_ui.library.clip import checked_id
from musicgen_ui.library.database import Database
from musicgen_ui.library.schema import CLIPS, FINGERPRINTS

BATCH = 200


class Fingerprints:
    """Bytes of a kind for each clip.

    Args:
        database: where they are.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, clip: str, kind: str, data: bytes) -> None:
        """Note a fingerprint instead of an earlier one; nothing happens where the clip is gone."""
        checked_id("clip", clip)
        with self._database.write() as connection:
            if connection.execute(select(CLIPS.c.id).where(CLIPS.c.id == clip)).first() is None:
                return
            connection.execute(delete(FINGERPRINTS).where(FINGERPRINTS.c.clip == clip, FINGERPRINTS.c.kind == kind))
            connection.execute(FINGERPRINTS.insert().values(clip=clip, kind=kind, data=data))

    def get(self, clips: Sequence[str], kind: str) -> dict[str, bytes]:
        """Id to fingerprint, for those of the clips that have one."""
        found: dict[str, bytes] = {}
        with self._database.read() as connection:
            for start in range(0, len(clips), BATCH):
                wanted = FINGERPRINTS.c.clip.in_(clips[start : start + BATCH]), FINGERPRINTS.c.kind == kind
                rows = connection.execute(select(FINGERPRINTS.c.clip, FINGERPRINTS.c.data).where(*wanted))
                found.update({row.clip: bytes(row.data) for row in rows})
        return found

    def each(self, person: str, kind: str) -> Iterator[tuple[str, bytes]]:
        """Id and fingerprint of every clip of a person that has one and is not deleted, by id."""
        wanted = (
            select(FINGERPRINTS.c.clip, FINGERPRINTS.c.data)
            .join(CLIPS, CLIPS.c.id == FINGERPRINTS.c.clip)
            .where(CLIPS.c.person == person, CLIPS.c.deleted.is_(None), FINGERPRINTS.c.kind == kind)
            .order_by(FINGERPRINTS.c.clip)
            .limit(BATCH)
        )
        last = ""
        while True:
            # A page at a time: whoever listens may be slow, and nobody else should wait for the connection.
            with self._database.read() as connection:
                rows = connection.execute(wanted.where(FINGERPRINTS.c.clip > last)).all()
            for row in rows:
                yield row.clip, bytes(row.data)
            if len(rows) < BATCH:
                return
            last = rows[-1].clip

    def missing(self, person: str, kind: str) -> list[str]:
        """Ids of the person's clips that have none yet, the newest first."""
        known = select(FINGERPRINTS.c.clip).where(FINGERPRINTS.c.kind == kind)
        mine = (CLIPS.c.person == person, CLIPS.c.deleted.is_(None), CLIPS.c.id.not_in(known))
        with self._database.read() as connection:
            return list(connection.execute(select(CLIPS.c.id).where(*mine).order_by(CLIPS.c.made.desc())).scalars())
