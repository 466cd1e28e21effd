"""Notated rhythm: nothing is lost or added, values show the beats, and beams and rests follow the rules."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from musicgen_ui.music.musicxml_rhythm import VALUES, Event, Piece, bars_of, beamed, split

BARS = {16: "4/4", 12: "3/4"}


@pytest.mark.parametrize("bar_steps", BARS)
@pytest.mark.parametrize("rest", [False, True])
def test_every_span_is_written_exactly_with_values_that_there_are(bar_steps, rest):
    for start in range(bar_steps):
        for end in range(start + 1, bar_steps + 1):
            spans = split(start, end, bar_steps, rest=rest)
            assert spans[0][0] == start
            assert spans[-1][1] == end
            assert all(a[1] == b[0] for a, b in pairwise(spans))
            assert all(b - a in VALUES for a, b in spans)
            assert len(spans) <= 6


def test_no_value_hides_the_middle_of_a_bar_but_from_a_beat():
    for start in range(8):
        for end in range(9, 17):
            for a, b in split(start, end, 16):
                assert not a < 8 < b or (a % 4 == 0 and b - a >= 8)


@pytest.mark.parametrize(
    ("start", "end", "spans"),
    [
        (0, 16, [(0, 16)]), (0, 12, [(0, 12)]), (4, 12, [(4, 12)]), (2, 6, [(2, 6)]), (6, 10, [(6, 8), (8, 10)]),
        (0, 5, [(0, 4), (4, 5)]), (3, 6, [(3, 4), (4, 6)]), (1, 3, [(1, 3)]), (0, 6, [(0, 6)]),
        (4, 10, [(4, 8), (8, 10)]),
        (1, 9, [(1, 4), (4, 8), (8, 9)]),
    ],
)  # fmt: skip
def test_plain_cases(start, end, spans):
    assert split(start, end, 16) == spans


events = st.lists(st.tuples(st.integers(0, 3), st.integers(1, 20)), max_size=12)


@settings(max_examples=60, deadline=None)
@given(events, st.sampled_from(sorted(BARS)))
def test_bars_are_full_and_hold_every_event_once(gaps, bar_steps):
    made, at = [], 0
    for gap, length in gaps:
        made.append(Event(at + gap, at + gap + length, (60,)))
        at += gap + length
    bars = at // bar_steps + 1
    written = bars_of(made, bars, bar_steps)
    assert len(written) == bars
    back, open_event = [], None
    for bar, pieces in enumerate(written):
        assert sum(piece.steps for piece in pieces) == bar_steps
        for piece in (p for p in pieces if p.pitches):
            begin, end = bar * bar_steps + piece.start, bar * bar_steps + piece.end
            assert piece.tied_from == (open_event is not None)
            open_event = (open_event[0], end) if piece.tied_from else (begin, end)
            assert piece.began == open_event[0]
            if not piece.tied_to:
                back.append(open_event)
                open_event = None
    assert back == [(event.onset, event.end) for event in made]


def beams(*steps):
    at, pieces = 0, []
    for length in steps:
        pieces.append(Piece(at, abs(length), (60,) if length > 0 else ()))
        at += abs(length)
    return [piece.beams for piece in beamed(pieces, 16)]


def test_four_eighths_share_a_beam_and_mixed_values_follow_the_beat():
    assert beams(2, 2, 2, 2)[:4] == [("begin",), ("continue",), ("continue",), ("end",)]
    assert beams(2, 2, 4)[:2] == [("begin",), ("end",)]
    assert beams(1, 1, 2, 2, 2)[:5] == [("begin", "begin"), ("continue", "end"), ("end",), ("begin",), ("end",)]
    assert beams(3, 1) == [("begin",), ("end", "backward hook")]
    assert beams(1, 3) == [("begin", "forward hook"), ("end",)]


def test_rests_and_lone_notes_have_no_beam():
    assert beams(2, -2, 2, -2) == [(), (), (), ()]
    assert beams(4, 8, 2) == [(), (), ()]
