"""What a person does with clips is there the next time, and nobody else's business."""

from __future__ import annotations

import math

import pytest

from musicgen_ui.errors import RequestError
from musicgen_ui.library.clip import Missing, iso, milliseconds, new_id, obeyed
from musicgen_ui.library.clips import PURGE_AFTER
from musicgen_ui.library.listing import Query
from musicgen_ui.recipe import Recipe


def test_a_clip_is_the_same_after_reopening(open_library, ann, clip):
    library = open_library()
    made = library.clips.add(ann, clip(7, tags=("b", "a"), parts={"lead": "tenor sax"}, key="F minor", genre="jazz"))
    library.clips.like(ann, made.id, 1)
    library.clips.rename(ann, made.id, "  Smoky\n jazz club ")
    library.clips.played(ann, made.id, 12.5)
    library.close()
    found = open_library().clips.get(ann, made.id)
    assert (found.title, found.liked, found.plays, found.tags) == ("Smoky jazz club", 1, 1, ("a", "b"))
    assert found.recipe == made.recipe
    assert Recipe.from_code(found.to_dict()["code"]).to_dict() == found.recipe
    assert (found.heard, found.parts, found.key, found.hash) == (made.heard, made.parts, made.key, made.hash)


def test_nobody_sees_or_changes_anothers(library, ann, ben, clip):
    made = library.clips.add(ann, clip())
    assert library.clips.list(ben).total == 0
    deeds = (
        lambda: library.clips.get(ben, made.id),
        lambda: library.clips.like(ben, made.id, 1),
        lambda: library.clips.keep(ben, made.id),
        lambda: library.clips.rename(ben, made.id, "mine"),
        lambda: library.clips.tag(ben, made.id, ["mine"]),
        lambda: library.clips.played(ben, made.id, 1),
        lambda: library.playlists.create(ben, "mine", [made.id]),
    )
    for deed in deeds:
        with pytest.raises(Missing):
            deed()
    assert library.clips.delete(ben, [made.id]) == 0
    assert library.events.list(ben) == []
    assert library.clips.get(ann, made.id) == made
    assert library.clips.find(made.id) == made  # who knows the id may hear it


def test_delete_can_be_undone_until_it_is_purged(library, ann, clip, clock):
    made = library.clips.add(ann, clip())
    assert library.clips.delete(ann, [made.id, new_id()]) == 1
    assert library.clips.list(ann).total == 0
    assert library.clips.list(ann, Query(deleted=True)).total == 1
    with pytest.raises(Missing):
        library.clips.like(ann, made.id, 1)
    assert library.clips.restore(ann, [made.id]) == 1
    assert library.clips.get(ann, made.id) == made
    library.clips.delete(ann, [made.id])
    assert library.clips.sweep() == []
    clock.time += PURGE_AFTER
    assert library.clips.sweep() == [made.id]
    assert library.clips.restore(ann, [made.id]) == 0


def test_purge_on_request_takes_only_the_deleted(library, ann, clip):
    kept, gone = library.clips.add(ann, clip(1)), library.clips.add(ann, clip(2))
    library.clips.delete(ann, [gone.id])
    assert library.clips.purge(ann) == []
    assert library.clips.purge(ann, now=True) == [gone.id]
    assert [found.id for found in library.clips.list(ann).clips] == [kept.id]


def test_emptying_the_history_spares_what_somebody_wants(library, ann, clip):
    kept, liked, listed, plain = (library.clips.add(ann, clip(n)) for n in range(4))
    library.clips.keep(ann, kept.id)
    library.clips.like(ann, liked.id, 1)
    library.playlists.create(ann, "list", [listed.id])
    assert library.clips.empty_history(ann) == [plain.id]
    assert library.clips.list(ann).total == 3
    assert library.clips.restore(ann, [plain.id]) == 1


def test_events_remember_a_clip_that_is_gone(library, ann, clip):
    made = library.clips.add(ann, clip(3, heard={"mood": 0.25}, key="F minor"))
    library.clips.like(ann, made.id, 1)
    library.clips.like(ann, made.id, 1)  # nothing new
    library.clips.played(ann, made.id, 30)
    library.clips.skipped(ann, made.id, 2.5)
    library.clips.like(ann, made.id, -1)
    library.clips.delete(ann, [made.id])
    library.clips.purge(ann, now=True)
    events = library.events.list(ann)
    assert [(event.kind, event.at) for event in events] == [
        ("like", None), ("play", 30.0), ("skip", 2.5), ("dislike", None)
    ]  # fmt: skip
    assert events[0].traits["key"] == "F minor"
    assert events[0].traits["heard"] == {"mood": 0.25}
    assert events[0].traits["recipe"]["style"] == Recipe().style.to_dict()
    assert library.events.list(ann, after=events[1].id) == events[2:]


@pytest.mark.parametrize("title", ["", " \n", "x" * 121, None, 7, "\ud800", "\x00"])
def test_a_bad_title_is_refused(library, ann, clip, title):
    made = library.clips.add(ann, clip())
    with pytest.raises(RequestError) as told:
        library.clips.rename(ann, made.id, title)
    assert told.value.argument == "title"


@pytest.mark.parametrize("bad", ["../../etc/passwd", "a" * 21, "a" * 23, "a" * 21 + "/", "a" * 21 + "\n", None, 5])
def test_a_bad_id_is_like_a_missing_one(library, ann, bad):
    for deed in (library.clips.get, lambda person, clip: library.clips.delete(person, [clip])):
        with pytest.raises(Missing):
            deed(ann, bad)


def test_likes_and_times_are_checked(library, ann, clip):
    made = library.clips.add(ann, clip())
    for liked in (2, True, "1", None, 0.5):
        with pytest.raises(RequestError):
            library.clips.like(ann, made.id, liked)
    for at in (-1, math.nan, math.inf, "3", None, True):
        with pytest.raises(RequestError):
            library.clips.played(ann, made.id, at)
    with pytest.raises(RequestError):
        library.clips.tag(ann, made.id, ["x"] * 21)


def test_people_are_forgotten_wholly(library, ann, ben, clip, tmp_path):
    gone, stays = library.clips.add(ann, clip(1, title="Fortunately")), library.clips.add(ben, clip(2))
    for person, made in ((ann, gone), (ben, stays)):
        library.clips.like(person, made.id, 1)
        library.playlists.create(person, "list", [made.id])
        library.people.write(person, "taste", {"on": True})
        library.fingerprints.put(made.id, "chroma1", b"\x00\xff")
    assert library.people.forget(ann) == [gone.id]
    assert set(library.people.counts(ann).values()) == {0}
    assert library.people.read(ann, "taste") is None
    assert library.fingerprints.get([gone.id], "chroma1") == {}
    assert library.people.read(ben, "taste") == {"on": True}
    assert library.people.counts(ben) == {"kept": 1, "history": 0, "liked": 1, "playlists": 1, "events": 1}
    left = b"".join(path.read_bytes() for path in tmp_path.rglob("library.db*"))
    assert b"Fortunately" not in left
    assert ann.encode() not in left


def test_fingerprints_go_by_person_and_kind(library, ann, ben, clip):
    one, two = library.clips.add(ann, clip(1)), library.clips.add(ann, clip(2))
    foreign = library.clips.add(ben, clip(3))
    for made in (one, foreign):
        library.fingerprints.put(made.id, "chroma1", made.id.encode())
        library.fingerprints.put(made.id, "chroma1", made.id.encode())
    library.fingerprints.put(new_id(), "chroma1", b"")  # of no clip
    assert list(library.fingerprints.each(ann, "chroma1")) == [(one.id, one.id.encode())]
    assert library.fingerprints.missing(ann, "chroma1") == [two.id]
    assert library.fingerprints.missing(ann, "chroma2") == [two.id, one.id]


def test_dates_survive_as_text():
    for time in (0, 1_700_000_000_001, 4_000_000_000_999):
        assert milliseconds("made", iso(time)) == time
    assert milliseconds("made", "2026-11-23T00:30:00Z") == 1_795_393_800_000
    for bad in ("2026-13-01T00:00:00Z", "2026-11-23", None, "٢٠٢٦-11-23T00:30:00Z"):
        with pytest.raises(RequestError):
            milliseconds("made", bad)


def test_a_clip_that_does_as_told_has_obeyed():
    asked = {"tempo": 100.0, "mood": 0.5, "key": "A minor", "genre": None}
    assert obeyed(asked, {"tempo": 100.0, "mood": 0.5, "key": "A minor", "genre": "pop"}) == 1
    assert obeyed(asked, {"tempo": 50.0, "mood": 0.5, "key": "C major"}) == pytest.approx(0.5)
    assert obeyed(asked, {}) is None
