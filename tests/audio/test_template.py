import numpy as np
import pytest

from musicgen_ui.audio.template import Template, from_bytes, template, to_bytes
from musicgen_ui.audio.template_coarse import coarse_bytes, coarse_frames, coarse_table
from musicgen_ui.audio.template_match import REASONS, compare, compare_hummed, reason, stretched
from musicgen_ui.audio.tonality import FRAME_RATE, SAMPLE_RATE
from musicgen_ui.audio.tune import held, in_tune, score_tune
from musicgen_ui.music.score import Note, Score


def tones(pitches, seconds=0.4, rate=SAMPLE_RATE):
    """Notes of five partials, one after another."""
    time = np.arange(round(seconds * rate)) / rate
    hertz = 440.0 * 2.0 ** ((np.asarray(pitches, dtype=float) - 69.0) / 12.0)
    envelope = np.exp(-3.0 * time)
    return (
        np.concatenate([sum(np.sin(2 * np.pi * f * k * time) / k for k in range(1, 6)) * envelope for f in hertz]) / 4
    )


@pytest.fixture(scope="module")
def melody():
    return np.random.default_rng(1).integers(57, 76, 40)


@pytest.fixture(scope="module")
def clip(melody):
    return template(tones(melody), SAMPLE_RATE)


def test_harmony_shows_the_note_that_sounds(melody, clip):
    frames = ((np.arange(len(melody)) + 0.5) * 0.4 * FRAME_RATE).astype(int)
    assert np.mean(clip.harmony[:, frames].argmax(axis=0) == melody % 12) > 0.95
    assert np.mean(clip.melody[frames] % 12 == melody % 12) > 0.9


def test_transposition_turns_the_harmony(melody, clip):
    higher = template(tones(melody + 3), SAMPLE_RATE)
    alike = (np.roll(clip.harmony, 3, axis=0) * higher.harmony).sum(axis=0)
    size = np.linalg.norm(clip.harmony, axis=0) * np.linalg.norm(higher.harmony, axis=0)
    assert np.median(alike / np.maximum(size, 1e-6)) > 0.97


def test_tuning_does_not_matter(melody, clip):
    sharp = template(tones(melody + 0.3), SAMPLE_RATE)
    assert np.mean(sharp.harmony.argmax(axis=0) == clip.harmony.argmax(axis=0)) > 0.9


def test_silence_has_no_harmony():
    silent = template(np.zeros((2, SAMPLE_RATE), np.float32), SAMPLE_RATE)
    assert not silent.harmony.any()
    assert np.isfinite(silent.colour).all()


def test_bytes_keep_a_template(clip):
    data = to_bytes(clip)
    again = from_bytes(data)
    assert len(data) < 27 * clip.frames
    assert np.abs(again.harmony - clip.harmony).max() < 0.003
    assert np.abs(again.colour - np.clip(clip.colour, -127, 127)).max() <= 0.5
    assert to_bytes(again) == data


@pytest.mark.parametrize("harm", [lambda d: b"", lambda d: b"XX" + d[2:], lambda d: d[:-1], lambda d: d + b"1"])
def test_damaged_bytes_are_refused(clip, harm):
    with pytest.raises(ValueError, match="template"):
        from_bytes(harm(to_bytes(clip)))


def test_coarse_frames_survive_their_bytes(clip):
    frames, ends = coarse_table([coarse_bytes(clip), coarse_bytes(clip.part(0.0, 5.0))])
    assert ends[-1] == len(frames)
    assert np.abs(frames[: ends[0]] - coarse_frames(clip)).max() < 0.005
    assert coarse_table([])[0].shape == (0, 24)


def test_a_part_is_found_in_its_place(clip):
    found = compare(clip.part(4.0, 10.0), clip, 0, 1.0)
    assert found.score > 0.95
    assert (found.begin, found.end) == pytest.approx((4.0, 10.0), abs=0.15)


def test_a_turned_and_slower_part_is_found(clip):
    fragment = stretched(clip.part(4.0, 10.0), 1.1)
    fragment = Template(np.roll(fragment.harmony, -2, axis=0), fragment.colour, fragment.attacks, fragment.melody)
    found = compare(fragment, clip, 2, 1.0)
    assert found.score > 0.8
    assert found.begin == pytest.approx(4.0, abs=0.3)
    assert compare(fragment, clip, 0, 1.0).score < 0.5


def test_octaves_do_not_matter_to_a_hummed_tune(clip):
    tune = clip.part(4.0, 10.0)
    lower = tune.with_melody(np.where(tune.melody > 0, tune.melody - 12, 0))
    found = compare_hummed(lower, clip, 0, 1.0)
    assert found.score > 0.99
    assert found.begin == pytest.approx(4.0, abs=0.15)


def test_a_fragment_longer_than_the_clip_counts_only_as_far_as_it_goes(clip):
    assert compare(clip, clip.part(2.0, 6.0), 0, 1.0).score < 0.5


def test_the_tune_of_a_score_is_its_lead():
    notes = (Note(0.0, 60, 1.0, 90), Note(2.0, 64, 0.5, 90), Note(2.0, 67, 0.5, 90))
    tune = score_tune(Score(60.0, "4/4", 1, {"lead": notes, "bass": (Note(0.0, 36, 4.0, 90),)}), 43)
    assert tune[:10].tolist() == [60.0] * 10
    assert not tune[12:20].any()
    assert tune[23] == 67.0
    assert held(tune)[15] == 60.0


def test_humming_is_brought_into_tune():
    assert in_tune(np.array([60.3, 0.0, 62.35, 64.25])).tolist() == pytest.approx([60.0, 0.0, 62.05, 63.95], abs=0.02)


def test_a_reason_is_a_known_phrase():
    assert reason({"melody": 0.9, "harmony": 0.9, "rhythm": 0.1}) == "the same tune and chords"
    assert reason({}) in REASONS.values()
