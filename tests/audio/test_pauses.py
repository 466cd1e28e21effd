"""Long work can be stopped in its middle: how often it pauses is counted, not timed."""

import numpy as np
import pytest

from musicgen_ui.audio.effects import drive, high_pass, noise, tilt, vibrato, widen
from musicgen_ui.audio.loudness import integrated_loudness, normalise
from musicgen_ui.audio.pauses import pause, pauses
from musicgen_ui.audio.punch import with_punch
from musicgen_ui.audio.reverb import room

RATE = 44_100


class StopError(Exception):
    pass


@pytest.fixture(scope="module")
def clip():
    """(2, n) half a minute of beats."""
    rng = np.random.default_rng(3)
    beats = np.abs(np.sin(np.arange(30 * RATE) / RATE * 7.0)) ** 8
    return (0.3 * beats * rng.standard_normal((2, len(beats)))).astype(np.float32)


WORK = {
    "vibrato": (2, lambda x: vibrato(x[0], RATE, 20.0, 5.5)),
    "drive": (3, lambda x: drive(x, 0.3)),
    "tilt": (2, lambda x: tilt(x, RATE, 0.8)),
    "widen": (5, lambda x: widen(x[0], RATE, 0.5)),
    "high pass": (2, lambda x: high_pass(x, RATE)),
    "noise": (1, lambda x: noise(x.shape, RATE, -50.0, np.random.default_rng(1))),
    "room": (6, lambda x: room(x, RATE, 0.5)),
    "punch": (2, lambda x: with_punch(x, RATE, 1.5)),
    "loudness": (2, lambda x: integrated_loudness(x, RATE)),
    "normalise": (10, lambda x: normalise(x, RATE)),
}


@pytest.mark.parametrize("name", WORK)
def test_it_pauses_and_can_be_stopped_at_each_pause(clip, name):
    least, work = WORK[name]
    count = []
    with pauses(lambda: count.append(1)):
        work(clip)
    assert len(count) >= least

    left = [len(count) - 1]

    def stop():
        left[0] -= 1
        if left[0] < 0:
            raise StopError

    with pytest.raises(StopError), pauses(stop):
        work(clip)


def test_nobody_needs_to_listen_and_the_outer_one_listens_again():
    pause()
    seen = []
    with pauses(lambda: seen.append("outer")):
        with pauses(lambda: seen.append("inner")):
            pause()
        pause()
    pause()
    assert seen == ["inner", "outer"]
