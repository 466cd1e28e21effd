"""Versions of a clip as one sound: nothing is missing, nothing jumps, and it ends as the finished clip does."""

import numpy as np
import pytest

from musicgen_ui.audio.waveform import SAMPLE_RATE
from musicgen_ui.engine.joined import CHUNK, OVERLAP, RAMP, Joined

SECONDS = 12


def music(seconds: float = SECONDS) -> np.ndarray:
    """(2, n) a chord that swells and fades."""
    time = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    sound = sum(np.sin(2 * np.pi * hertz * time) for hertz in (110.0, 164.8, 220.0)) / 6
    sound *= 0.7 + 0.3 * np.sin(2 * np.pi * 0.5 * time)
    return np.stack([sound, 0.8 * sound]).astype(np.float32)


def levels(sound: np.ndarray) -> np.ndarray:
    """In dB, of every tenth of a second."""
    tenths = sound[0, : 4410 * (sound.shape[1] // 4410)].reshape(-1, 4410)
    return 10 * np.log10(np.mean(tenths**2, axis=1))


def heard(versions, last):
    """Pieces of the versions, and the sound that they make together."""
    pieces = []
    joined = Joined(lambda begin, samples, last: pieces.append((begin, samples, last)))
    for version in versions:
        joined.version(version)
    joined.version(last, last=True)
    return pieces, np.concatenate([samples for _, samples, _ in pieces], axis=1)


def test_the_finished_clip_alone_comes_as_it_is():
    clip = music()
    pieces, sound = heard([], clip)
    np.testing.assert_array_equal(sound, clip)
    assert [begin for begin, _, _ in pieces] == list(range(0, clip.shape[1], CHUNK))
    assert [last for _, _, last in pieces] == [False] * (len(pieces) - 1) + [True]
    assert max(samples.shape[1] for _, samples, _ in pieces) == CHUNK


@pytest.mark.parametrize("gain", [0.5, 0.9, 1.0, 1.3, 2.0])
def test_a_join_cannot_be_told_from_the_rest(gain):
    clip = music()
    first = np.float32(gain) * clip[:, : 4 * SAMPLE_RATE]
    pieces, sound = heard([first], clip)
    assert sound.shape == clip.shape
    begins = [begin for begin, _, _ in pieces]
    assert begins == list(np.cumsum([0, *(samples.shape[1] for _, samples, _ in pieces)])[:-1])
    join = 4 * SAMPLE_RATE - OVERLAP
    np.testing.assert_array_equal(sound[:, :join], first[:, :join])
    steps = np.abs(np.diff(sound)).max(axis=0)
    assert steps[join - 1 : join + OVERLAP].max() <= 1.02 * np.quantile(steps, 0.99)
    changes = np.abs(np.diff(levels(sound)) - np.diff(levels(clip)))
    assert changes.max() < 0.3, "dB from one tenth of a second to the next, beside what the music itself does"
    np.testing.assert_array_equal(sound[:, join + RAMP :], clip[:, join + RAMP :])


def test_several_versions_follow_one_another():
    clip = music(16)
    versions = [np.float32(gain) * clip[:, : n * SAMPLE_RATE] for n, gain in ((2, 1.2), (5, 0.8), (9, 1.1))]
    _, sound = heard(versions, clip)
    assert sound.shape == clip.shape
    steps = np.abs(np.diff(sound)).max(axis=0)
    assert steps.max() <= 1.3 * np.abs(np.diff(clip)).max()
    np.testing.assert_array_equal(sound[:, -SAMPLE_RATE:], clip[:, -SAMPLE_RATE:])


def test_what_is_no_longer_says_nothing():
    clip = music(4)
    pieces = []
    joined = Joined(lambda *piece: pieces.append(piece))
    joined.version(clip)
    before = len(pieces), joined.sent
    joined.version(clip[:, : 2 * SAMPLE_RATE])
    assert (len(pieces), joined.sent) == before
    assert joined.reaches == clip.shape[1]


def test_silence_is_not_raised_to_anything():
    silent = np.zeros((2, 4 * SAMPLE_RATE), dtype=np.float32)
    clip = music()
    clip[:, : 4 * SAMPLE_RATE] = 0
    _, sound = heard([silent], clip)
    np.testing.assert_array_equal(sound, clip)


def test_a_sound_raised_at_a_join_stays_within_full_scale():
    clip = 0.9 * music() / np.abs(music()).max()
    _, sound = heard([np.float32(1.1) * clip[:, : 3 * SAMPLE_RATE]], clip)
    assert np.abs(sound).max() <= 1.0
