"""Sameness: duplicates, shared tunes, splits; genre weights; chord charts."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from musicgen_ui.data import charts, genres
from musicgen_ui.data.songs import content_hash, merged_groups, split_of, tune_hash
from musicgen_ui.music.harmony import parse_chord
from musicgen_ui.music.score import Chord, Note, Score
from musicgen_ui.style import GENRES


def tune(seed: int, count: int = 40) -> Score:
    rng = np.random.default_rng(seed)
    lead = tuple(Note(float(i), int(p), 0.5, 80) for i, p in enumerate(rng.integers(60, 72, count)))
    return Score(120.0, "4/4", 10, {"lead": lead, "drums": (Note(0.0, 36, 0.25, 90),)})


def test_a_piece_is_the_same_in_every_key_and_at_every_loudness():
    score = tune(1)
    louder = replace(score, parts={p: tuple(replace(n, velocity=99) for n in x) for p, x in score.parts.items()})
    assert content_hash(score) == content_hash(score.transposed(5)) == content_hash(louder)
    assert tune_hash(score) == tune_hash(score.transposed(-4).with_parts(("lead",)))


def test_other_notes_other_parts_and_other_charts_are_not_the_same():
    chart = Score(120.0, "4/4", 4, {}, (Chord(0.0, 8.0, 0, "maj"), Chord(8.0, 8.0, 7, "7")))
    other = replace(chart, chords=(Chord(0.0, 8.0, 0, "maj"), Chord(8.0, 8.0, 7, "min")))
    scores = [tune(1), tune(2), tune(1).with_parts(("lead",)), chart, other]
    assert len({content_hash(s) for s in scores}) == len(scores)
    assert content_hash(chart) == content_hash(chart.transposed(3))


def test_a_short_or_plain_tune_proves_nothing():
    assert tune_hash(tune(1, count=10)) is None
    flat = replace(tune(1), parts={"lead": tuple(Note(float(i), 60, 0.5, 80) for i in range(40))})
    assert tune_hash(flat) is None


def test_groups_that_share_a_tune_become_one():
    rows = [("b", "x"), ("a", None), ("c", "x"), ("c", "y"), ("d", "y"), ("e", "z")]
    assert merged_groups(rows) == {"a": "a", "b": "b", "c": "b", "d": "b", "e": "e"}
    assert merged_groups(reversed(rows)) == merged_groups(rows)


def test_nine_of_ten_songs_train():
    counts = Counter(split_of(f"song:{i}") for i in range(4000))
    assert counts["train"] == pytest.approx(3600, abs=80)
    assert counts["validation"] == pytest.approx(200, abs=50)
    assert counts["test"] == pytest.approx(200, abs=50)
    assert split_of("song:0001") == split_of("song:0001")


@pytest.mark.parametrize("name", ["pop", "Jazz", "funk-soul", "classical-dance", "neworleans", "Funk / Soul", "hymn"])
def test_weights_of_a_genre_sum_to_one(name):
    weights = genres.plain(name)
    assert set(weights) <= set(GENRES)
    assert sum(weights.values()) == pytest.approx(1.0)


@pytest.mark.parametrize("name", ["electronic", "reggae-ska", "hiphop", "Non-Music", None, ""])
def test_what_we_have_no_genre_for_is_unlabelled(name):
    assert genres.plain(name) == {}


def test_tags_are_blended_by_count():
    assert genres.blended({"Jazz": 3, "Rock": 1, "Non-Music": 5}) == {"rock": 0.25, "jazz": 0.75}
    assert genres.blended(None) == {}
    assert genres.polish("mazurka") == {"dance": 0.5, "classical": 0.5}
    assert genres.polish("sonata") == {"classical": 1.0}


@pytest.mark.parametrize(
    ("numeral", "minor", "chord"),
    [
        ("I", False, (0, "maj")), ("vi", False, (9, "min")), ("V7", False, (7, "7")), ("I7", False, (0, "maj7")),
        ("Idom7", False, (0, "7")), ("bVIIM", False, (10, "maj")), ("bVIM7", False, (8, "maj7")),
        ("#IVdim", False, (6, "dim")), ("iim7", False, (2, "min7")), ("vdim", False, (7, "dim")),
        ("Isus4", False, (0, "sus")), ("im", True, (9, "min")), ("VI", True, (5, "maj")), ("VII", True, (7, "maj")),
        ("iv7", True, (2, "min7")), ("iv", True, (2, "min")), ("?", True, None),
    ],
)  # fmt: skip
def test_roman_numerals(numeral, minor, chord):
    assert parse_chord(charts.roman_chord(numeral, minor)) == chord


def test_a_billboard_chart():
    row = {
        "id": "7", "title": "Song", "artist": "Band", "metre": "4/4", "tonic": "A", "beat_bpm_est": 99.0,
        "lines": [
            {"bars": []},
            {"bars": ["A:min", "D:min . . E:7", "(2/4) A:min", "&pause", "A:min G:maj"]},
        ],
    }  # fmt: skip
    (source,) = charts.billboard("charts", [row])
    assert source.key == "A minor"
    assert source.chords == (
        (0, 4, "A:min"), (4, 1, "D:min"), (5, 1, "D:min"), (6, 1, "D:min"), (7, 1, "E:7"), (8, 4, "A:min"),
        (12, 4, "A:min"), (16, 2, "A:min"), (18, 2, "G:maj"),
    )  # fmt: skip
    assert (source.group, source.midi, source.tempo, source.metre) == ("song:billboard:7", None, 99.0, "4/4")


def test_progressions_in_three_modes():
    rows = [{"mode": m, "romans": ["I", "V"]} for m in ("major", "minor", "modal")]
    found = list(charts.progressions("charts", rows))
    assert [s.key for s in found] == ["C major", "A minor", None]
    assert [s.chords[0][2] for s in found] == ["C", "A", "C"]
    assert len({s.id for s in found}) == 3
