import numpy as np
import pytest

from musicgen_ui.audio.soundfont import SoundFont, embedded_path
from musicgen_ui.engine.synthesize import SoundFontSynthesizer
from musicgen_ui.errors import Cancelled, RequestError
from musicgen_ui.music.score import Note, Score
from musicgen_ui.style import Style
from musicgen_ui.timbre import Timbre, TimbrePoint

RATE = 44_100
PROGRAMS = {"lead": 73, "chords": 4, "bass": 33, "drums": 0}


@pytest.fixture(scope="module")
def synthesizer() -> SoundFontSynthesizer:
    return SoundFontSynthesizer(SoundFont.load(embedded_path()))


@pytest.fixture(scope="module")
def score() -> Score:
    """Two bars, four parts, an awkward tempo."""
    parts = {
        "lead": tuple(Note(beat, 72 + beat % 5, 0.9, 90) for beat in range(8)),
        "chords": tuple(Note(4.0 * bar, pitch, 3.9, 70) for bar in range(2) for pitch in (57, 60, 64)),
        "bass": tuple(Note(2.0 * k, 33, 1.5, 100) for k in range(4)),
        "drums": tuple(Note(float(beat), (36, 38)[beat % 2], 0.25, 100) for beat in range(8)),
    }
    return Score(97.3, "4/4", 2, parts)


def onsets(stem: np.ndarray, level: float = 0.02) -> np.ndarray:
    """First sample of each attack of a stem whose notes are well apart."""
    loud = np.flatnonzero(np.abs(stem) > level * np.abs(stem).max())
    return loud[np.insert(np.diff(loud) > 4000, 0, True)]


def test_stems_have_the_exact_length_and_stay_in_range(synthesizer, score):
    stems = synthesizer.render(score, PROGRAMS)
    assert list(stems) == ["lead", "chords", "bass", "drums"]
    for stem in stems.values():
        assert stem.shape == (score.samples(),)
        assert stem.dtype == np.float32
        assert 0.01 < np.abs(stem).max() <= 1
        assert abs(stem[-1]) < 1e-6


@pytest.mark.parametrize("tempo", [60, 97.3, 180])
def test_notes_start_on_their_beat(synthesizer, tempo):
    drums = tuple(Note(k / 2, 37, 0.25, 110) for k in range(8))
    score = Score(tempo, "4/4", 1, {"drums": drums})
    found = onsets(synthesizer.render(score, PROGRAMS)["drums"])
    expected = np.round(np.array([n.onset for n in drums]) * 60 / tempo * RATE)
    assert len(found) == len(expected)
    # The rim shot's sample takes a fraction of a millisecond to rise, every time the same one.
    delays = found - expected
    assert np.all((delays >= 0) & (delays < 60))
    assert np.ptp(delays) <= 2


def test_the_score_of_a_part_is_all_that_its_stem_hears(synthesizer, score):
    alone = synthesizer.render(score.with_parts(["bass"]), PROGRAMS)
    assert list(alone) == ["bass"]
    assert np.array_equal(alone["bass"], synthesizer.render(score, PROGRAMS)["bass"])


def test_observed_but_empty_part_is_silent(synthesizer):
    stems = synthesizer.render(Score(120, "3/4", 1, {"lead": (), "drums": ()}), PROGRAMS)
    assert {part: stem.any() for part, stem in stems.items()} == {"lead": False, "drums": False}
    assert stems["lead"].shape == (round(1.5 * RATE),)


def test_long_drum_notes_ring_like_short_ones(synthesizer):
    short, long = (
        synthesizer.render(Score(120, "4/4", 1, {"drums": (Note(0, 49, duration, 100),)}), PROGRAMS)["drums"]
        for duration in (0.05, 4.0)
    )
    assert np.array_equal(short, long)


def test_missing_program_falls_back(synthesizer, score):
    stems = synthesizer.render(score, {})
    assert np.array_equal(stems["bass"], synthesizer.render(score, {"bass": 33})["bass"])


def test_instrument_and_kit_change_the_sound(synthesizer, score):
    stems, others = (synthesizer.render(score, programs) for programs in (PROGRAMS, {"lead": 40, "drums": 25}))
    assert not np.array_equal(stems["lead"], others["lead"])
    assert not np.array_equal(stems["drums"], others["drums"])


def test_a_stem_that_would_clip_is_scaled(synthesizer):
    """Twenty loud drums at once."""
    drums = tuple(Note(0.0, pitch, 0.25, 127) for pitch in range(35, 70))
    stem = synthesizer.render(Score(120, "4/4", 1, {"drums": drums}), {"drums": 25})["drums"]
    assert np.abs(stem).max() == pytest.approx(1, abs=1e-6)


def test_same_input_same_samples(synthesizer, score):
    first, again = (SoundFontSynthesizer(SoundFont.load(embedded_path())).render(score, PROGRAMS) for _ in range(2))
    assert all(np.array_equal(first[part], again[part]) for part in first)


def test_style_and_seed_change_nothing_and_a_timbre_is_refused(synthesizer, score):
    plain = synthesizer.render(score, PROGRAMS)
    asked = synthesizer.render(score, PROGRAMS, style=Style(brightness=1.0), timbre=Timbre(), seed=9)
    assert all(np.array_equal(plain[part], asked[part]) for part in plain)
    with pytest.raises(RequestError, match="timbre: soundfont plays fixed instruments"):
        synthesizer.render(score, PROGRAMS, timbre=Timbre(TimbrePoint("random", 1)))


def test_hook_counts_parts_and_can_cancel(synthesizer, score):
    calls = []
    synthesizer.render(score, PROGRAMS, hook=lambda *call: calls.append(call))
    assert calls == [("synthesize", done, 4) for done in range(5)]

    def stop(stage: str, done: int, total: int) -> None:
        if done == 2:
            raise Cancelled

    with pytest.raises(Cancelled):
        synthesizer.render(score, PROGRAMS, hook=stop)
