"""A list holds what it was asked for: checked against a plain filter over the same clips."""

from __future__ import annotations

import numpy as np
import pytest

from musicgen_ui.errors import RequestError
from musicgen_ui.library.listing import SORTS, Query


@pytest.fixture
def many(library, ann, ben, clip, rng):
    """40 clips of Ann's, in the order in which they were made, and one of Ben's."""
    library.clips.add(ben, clip(99, title="night jazz"))
    made = []
    for n in range(40):
        values = {
            "title": f"{rng.choice(['Night', 'Tagtraum', 'Été', '100%'])} {n}", "made": 1000 + n,
            "genre": str(rng.choice(["jazz", "pop"])), "key": str(rng.choice(["F minor", "C major"])),
            "tempo": float(rng.integers(60, 181)),
            "heard": {"mood": float(rng.random()), "brightness": None}, "kept": bool(rng.integers(2)),
            "liked": int(rng.integers(-1, 2)), "plays": int(rng.integers(5)), "loop": bool(rng.integers(2)),
            "tags": ("driving",) if rng.random() < 0.3 else (), "parts": {"lead": str(rng.choice(["flute", "oboe"]))},
        }  # fmt: skip
        made.append(library.clips.add(ann, clip(n, **values)))
    return made


QUERIES = [
    (Query(text="night"), lambda c: "Night" in c.title),
    (Query(text="ete MINOR"), lambda c: "Été" in c.title and c.key == "F minor"),
    (Query(text="100%"), lambda c: "100%" in c.title),
    (Query(text="%"), lambda c: "%" in c.title),
    (Query(text="_"), lambda c: False),
    (Query(text="flute driv"), lambda c: c.tags and c.parts["lead"] == "flute"),
    (Query(kept=True, liked=1), lambda c: c.kept and c.liked == 1),
    (Query(kept=False, loop=True), lambda c: not c.kept and c.loop),
    (Query(genre="jazz", key="C major"), lambda c: c.genre == "jazz" and c.key == "C major"),
    (Query(tag="driving"), lambda c: c.tags),
    (Query(tempo=(90, 120)), lambda c: 90 <= c.tempo <= 120),
    (Query(tempo=(None, 100)), lambda c: c.tempo <= 100),
    (Query(heard={"mood": (0.5, None)}), lambda c: c.heard["mood"] >= 0.5),
    (Query(heard={"brightness": (0, 1)}), lambda c: False),
    (Query(made=(1010, 1019)), lambda c: 1010 <= c.made <= 1019),
    (Query(origin="radio"), lambda c: False),
]


def test_filters_and_search(library, ann, many):
    for query, wanted in QUERIES:
        page = library.clips.list(ann, query)
        expected = [clip for clip in reversed(many) if wanted(clip)]
        assert page.total == len(expected), query
        assert list(page.clips) == expected[:24], query


ORDERS = {
    "newest": lambda c: -c.made,
    "oldest": lambda c: c.made,
    "title": lambda c: c.title.lower(),
    "tempo": lambda c: c.tempo,
    "most played": lambda c: -c.plays,
    "liked": lambda c: -c.liked,
    "best obeyed": lambda c: abs(0.5 - c.heard["mood"]),
}


def test_sorting_and_pages(library, ann, many):
    assert ORDERS.keys() == SORTS.keys()
    for sort, key in ORDERS.items():
        pages = [library.clips.list(ann, Query(sort=sort, page=n, size=7)) for n in range(7)]
        found = [clip for page in pages for clip in page.clips]
        assert {page.total for page in pages} == {len(many)}
        assert len({clip.id for clip in found}) == len(many), sort
        keys = [key(clip) for clip in found]
        if sort == "best obeyed":
            assert np.all(np.diff(keys) >= -1e-4)  # noted with four digits
        elif sort != "title":  # databases know other alphabets
            assert keys == sorted(keys), sort


def test_facets_are_what_occurs(library, ann, ben, many):
    facets = library.clips.facets(ann)
    assert facets["genres"] == ["jazz", "pop"]
    assert facets["keys"] == ["C major", "F minor"]
    assert facets["tags"] == ["driving"]
    assert library.clips.facets(ben)["tags"] == []


@pytest.mark.parametrize(
    ("argument", "values"),
    [
        ("text", {"text": "x" * 201}),
        ("text", {"text": "a " * 13}),
        ("sort", {"sort": "id; DROP TABLE clip"}),
        ("size", {"size": 101}),
        ("page", {"page": -1}),
        ("heard", {"heard": {"title": (0, 1)}}),
        ("tempo", {"tempo": (float("nan"), None)}),
        ("genre", {"genre": 7}),
    ],
)
def test_what_makes_no_sense_is_refused(argument, values):
    with pytest.raises(RequestError) as told:
        Query(**values)
    assert told.value.argument == argument
