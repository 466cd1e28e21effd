"""A score through JSON: every bit comes back, and nothing that is no score gets in."""

from __future__ import annotations

import copy
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from musicgen_ui.errors import RequestError
from musicgen_ui.music.score import Chord, Note, Score
from musicgen_ui.music.score_json import score_from_dict, score_to_dict
from musicgen_ui.music.theory import QUALITIES

beats = st.floats(0, 7.9)
notes = st.builds(Note, beats, st.integers(0, 127), st.floats(1e-3, 16), st.integers(1, 127))
chords = st.builds(Chord, beats, st.floats(0.1, 8), st.integers(0, 11), st.sampled_from(sorted(QUALITIES)))
scores = st.builds(
    Score,
    tempo=st.floats(60, 180),
    metre=st.just("4/4"),
    bars=st.just(2),
    parts=st.dictionaries(st.sampled_from(["lead", "chords", "bass", "drums"]), st.lists(notes, max_size=3).map(tuple)),
    chords=st.lists(chords, max_size=3).map(tuple),
    key=st.sampled_from([None, "C major", "Eb minor"]),
    programs=st.dictionaries(st.sampled_from(["lead", "drums"]), st.integers(0, 127)),
)


@settings(max_examples=20, deadline=None)
@given(scores)
def test_every_bit_comes_back(score):
    assert score_from_dict(json.loads(json.dumps(score_to_dict(score)))) == score


GOOD = score_to_dict(
    Score(120.0, "3/4", 1, {"lead": (Note(0.1, 60, 1.0, 90),)}, (Chord(0.0, 3.0, 0, "maj"),), "C major", {"lead": 3})
)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ((), []), (("format",), 2), (("tempo",), 0), (("tempo",), float("nan")), (("tempo",), "120"),
        (("metre",), "7/8"),
        (("bars",), 10**9), (("bars",), True), (("key",), "H minor"), (("parts",), {"kazoo": []}),
        (("parts", "lead"), 5),
        (("parts", "lead", 0), [0.0, 60, 1.0]), (("parts", "lead", 0, 0), 99.0), (("parts", "lead", 0, 1), 60.5),
        (("parts", "lead", 0, 3), 0), (("chords", 0, 3), "maj13"), (("chords", 0, 3), []), (("chords", 0, 2), 12),
        (("programs", "lead"), -1), (("extra",), 1), (("parts", "lead"), [[0.0, 60, 1.0, 90]] * 200_001),
    ],
)  # fmt: skip
def test_what_is_no_score_is_refused(path, value):
    values = copy.deepcopy(GOOD)
    if path:
        place = values
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = value
    else:
        values = value
    with pytest.raises(RequestError, match=r"^score: "):
        score_from_dict(values)
    assert score_from_dict(GOOD).key == "C major"
