"""The preview: what is played when, that it stops, and that its errors are not lost. Nothing here waits for a clock."""

import threading

import numpy as np
import pytest

from musicgen_ui.audio.pauses import pauses
from musicgen_ui.audio.waveform import SAMPLE_RATE
from musicgen_ui.engine.preview import Preview
from musicgen_ui.errors import Cancelled
from musicgen_ui.music.score import Note, Score
from musicgen_ui.style import Style

TELL = Style()


def score(bars: int) -> Score:
    """Bars of two seconds."""
    return Score(120.0, "4/4", bars, {"bass": (Note(0.0, 40, 1.0, 80),)})


class Clock:
    """Time that passes only when somebody works."""

    def __init__(self, cost: float) -> None:
        self.now, self.cost, self.played = 0.0, cost, []
        self.done = threading.Condition()

    def __call__(self) -> float:
        return self.now

    def sound(self, music, told, may_stop):
        """A second of work for each ``1 / cost`` seconds of music."""
        may_stop()
        self.now += self.cost * music.seconds
        with self.done:
            self.played.append(music.bars)
            self.done.notify_all()
        return np.full((2, round((music.seconds - 0.1) * SAMPLE_RATE)), 0.1, dtype=np.float32)

    def wait(self, count: int) -> None:
        """Until so many openings were played."""
        with self.done:
            assert self.done.wait_for(lambda: len(self.played) >= count, timeout=10)


def preview(clock, bars=64, out=None):
    pieces = []
    return Preview(out or pieces.append, clock.sound, bars, clock), pieces


def test_first_bars_then_more_of_them_then_the_clip():
    clock = Clock(cost=0.1)
    made, pieces = preview(clock)
    clip = np.full((2, 128 * SAMPLE_RATE), 0.1, dtype=np.float32)
    with made:
        for count, bars in enumerate((2, 6, 14), start=1):
            clock.now += bars / 8
            made.notes(score(bars), TELL)
            clock.wait(count)
        made.written(score(64), TELL)
        made.finish(clip)
    assert clock.played[0] == 1, "one bar is enough to begin with"
    assert clock.played == sorted(set(clock.played))
    begins, ends = zip(*((piece.begin, piece.begin + piece.samples.shape[1]) for piece in pieces), strict=True)
    assert begins == (0, *ends[:-1])
    assert ends[-1] == clip.shape[1]
    assert [piece.last for piece in pieces] == [False] * (len(pieces) - 1) + [True]


def test_where_all_notes_come_at_once_the_beginning_is_heard_before_the_clip_is_played():
    clock = Clock(cost=0.05)
    made, pieces = preview(clock, bars=16)
    with made:
        made.written(score(16), TELL)
        assert pieces
        assert pieces[0].begin == 0
        made.finish(np.zeros((2, 32 * SAMPLE_RATE), dtype=np.float32))
    assert max(clock.played) <= 8, "most of the clip is not played twice"


def test_what_sounds_long_enough_is_not_made_longer():
    clock = Clock(cost=0.01)
    made, _ = preview(clock, bars=8)
    with made:
        made.written(score(8), TELL)
        made.finish(np.zeros((2, 16 * SAMPLE_RATE), dtype=np.float32))
    assert clock.played == [1]


def test_it_stops_when_the_clip_is_stopped():
    clock = Clock(cost=0.1)
    inside, checks = threading.Event(), []

    def endless(music, told, may_stop):
        inside.set()
        while True:
            checks.append(1)
            may_stop()

    def stop():
        if inside.is_set():
            raise Cancelled

    with pytest.raises(Cancelled), Preview(lambda piece: None, endless, 16, clock) as made, pauses(stop):
        made.notes(score(2), TELL)
    count = len(checks)
    assert not [t for t in threading.enumerate() if t.name == "preview" and t.is_alive()]
    assert len(checks) == count


def test_waiting_for_the_first_sound_can_be_stopped():
    def never(music, told, may_stop):
        while True:
            may_stop()

    def stop():
        raise Cancelled

    with pytest.raises(Cancelled), Preview(lambda piece: None, never, 16) as made, pauses(stop):
        made.written(score(16), TELL)


@pytest.mark.parametrize("where", ["sound", "out"])
def test_an_error_in_it_is_told_where_the_clip_is_made(where):
    def broken(*_):
        raise ValueError("broken")

    clock = Clock(cost=0.1)
    sound, out = (broken, lambda piece: None) if where == "sound" else (clock.sound, broken)
    with pytest.raises(ValueError, match="broken"), Preview(out, sound, 16) as made:
        made.written(score(16), TELL)


def test_nothing_is_played_where_nothing_is_known():
    with Preview(lambda piece: None, lambda *_: pytest.fail("nothing to play"), 16):
        pass
