from __future__ import annotations

import numpy as np
import pytest

from musicgen_ui.engine.listen import UNIT_SLIDERS, listen
from musicgen_ui.music import measures
from musicgen_ui.music.measures import MEASURED
from musicgen_ui.music.score import Score
from musicgen_ui.scale import UnitScale
from musicgen_ui.style import SLIDERS
from musicgen_ui.training.synthetic import synthetic_score, synthetic_sound

RATE = 22_050


def band(tempo: float, key: str, **options: object) -> tuple[Score, np.ndarray]:
    rng = np.random.default_rng(int(tempo * 10))
    score = synthetic_score(rng, tempo=tempo, key=key, bars=12, **options)
    return score, synthetic_sound(score, rng)


@pytest.fixture(scope="module")
def song() -> tuple[Score, np.ndarray]:
    return band(112.0, "E minor")


@pytest.mark.parametrize(
    ("tempo", "key", "options"),
    [
        (64.0, "F major", {}),
        (83.5, "Db minor", {"drums": False}),
        (98.0, "Bb major", {"metre": "3/4"}),
        (112.0, "E minor", {"swing": 2 / 3}),
        (126.3, "A major", {"offbeat": 0.7}),
        (151.0, "G minor", {}),
        (176.0, "D major", {"drums": False}),
    ],
)
def test_tempo_and_key_of_a_band(tempo, key, options):
    _, clip = band(tempo, key, **options)
    heard = listen(clip, RATE).values
    octaves = np.log2(heard["tempo"] / tempo)
    assert abs(octaves - round(octaves)) < np.log2(1.003)
    assert heard["key"] == key


def test_the_octave_is_right_where_half_and_double_are_out_of_the_sliders_range():
    tempos = (92.0, 101.0, 108.5, 117.0)
    heard = [listen(band(tempo, "C major")[1], RATE).values["tempo"] for tempo in tempos]
    np.testing.assert_allclose(heard, tempos, rtol=0.003)


def test_all_names_are_there_and_genre_is_left_open(song):
    heard = listen(song[1], RATE)
    assert set(heard.values) == {*SLIDERS, "key", "genre"}
    assert set(heard.raw) == set(SLIDERS)
    assert heard.values["genre"] is None
    assert all(value is not None for value in heard.raw.values())
    assert all(heard.values[slider] is None for slider in UNIT_SLIDERS), "there are no scales to tell them with"


def test_runners_up_are_told(song):
    heard = listen(song[1], RATE)
    assert heard.tempi[0].bpm == pytest.approx(heard.values["tempo"], rel=0.01)
    assert len(heard.tempi) > 1


def test_scales_turn_raw_measures_into_sliders(song):
    scales = {"score": {}, "audio": {slider: UnitScale(tuple(np.linspace(-5, 15, 101))) for slider in UNIT_SLIDERS}}
    heard = listen(song[1], RATE, scales)
    for slider in UNIT_SLIDERS:
        assert heard.values[slider] == pytest.approx((heard.raw[slider] + 5) / 20)


def test_raw_measures_are_near_the_scores(song):
    score, clip = song
    raw, truth = listen(clip, RATE).raw, measures.measure(score)
    assert raw["density"] == pytest.approx(truth["density"], rel=0.2)
    assert raw["syncopation"] == pytest.approx(truth["syncopation"], abs=0.12)
    assert raw["mood"] == pytest.approx(truth["mood"], abs=0.15)
    assert raw["complexity"] == pytest.approx(truth["complexity"], abs=0.15)


def test_the_level_of_a_clip_changes_nothing(song):
    loud, soft = listen(song[1], RATE), listen(0.2 * song[1], RATE)
    assert soft.values["key"] == loud.values["key"]
    for slider, value in loud.raw.items():
        assert soft.raw[slider] == pytest.approx(value, abs=0.02), slider


def test_sample_rate_hardly_matters(song):
    score, _ = song
    twice = synthetic_sound(score, np.random.default_rng(0), sample_rate=44_100)
    heard = listen(twice, 44_100).values
    assert heard["tempo"] == pytest.approx(score.tempo, rel=0.003)
    assert heard["key"] == score.key


def test_mono_is_heard_but_for_its_space(song):
    heard = listen(song[1].mean(axis=0), RATE)
    assert heard.raw["space"] is None
    assert heard.values["key"] == song[0].key


def test_equal_input_gives_equal_output_and_is_not_written_to(song):
    before = song[1].copy()
    assert listen(song[1], RATE) == listen(song[1], RATE)
    np.testing.assert_array_equal(song[1], before)


@pytest.mark.parametrize("seconds", [0.0, 0.5, 2.9])
def test_short_clips_tell_nothing(song, seconds):
    heard = listen(song[1][:, : int(seconds * RATE)], RATE)
    assert set(heard.values.values()) == {None}
    assert set(heard.raw.values()) == {None}


def test_silence_tells_nothing():
    faint = 1e-4 * np.random.default_rng(0).standard_normal((2, 8 * RATE))
    for clip in (np.zeros((2, 8 * RATE)), faint, np.full((1, 8 * RATE), 0.5)):
        assert set(listen(clip, RATE).values.values()) == {None}


def test_noise_has_neither_tempo_nor_key():
    heard = listen(0.1 * np.random.default_rng(0).standard_normal((2, 12 * RATE)), RATE)
    told = {name for name in ("tempo", "key", *MEASURED) if (heard.raw | heard.values)[name] is not None}
    assert told == set()


def test_a_held_tone_has_no_tempo_and_no_key():
    time = np.arange(12 * RATE) / RATE
    tone = sum(np.sin(2 * np.pi * 110.0 * k * time) / k for k in range(1, 7))
    heard = listen(0.2 * tone, RATE)
    assert heard.values["tempo"] is None
    assert heard.values["key"] is None
    assert heard.raw["density"] is None


def test_drums_alone_have_a_tempo_but_no_key():
    score, _ = band(120.0, "C major")
    clip = synthetic_sound(score.with_parts(["drums"]), np.random.default_rng(1))
    heard = listen(clip, RATE)
    octaves = np.log2(heard.values["tempo"] / 120.0)
    assert abs(octaves - round(octaves)) < 0.005
    assert heard.values["key"] is None
    assert heard.raw["mood"] is None
    assert heard.raw["complexity"] is None


@pytest.mark.parametrize("bad", [np.full((2, 4 * RATE), np.nan), np.full(4 * RATE, np.inf), np.zeros((1, 2, 4 * RATE))])
def test_bad_samples_are_refused(bad):
    with pytest.raises(ValueError, match="finite"):
        listen(bad, RATE)


@pytest.mark.slow
def test_thirty_seconds_take_about_a_second():
    import time

    score, _ = band(96.0, "C major")
    clip = np.tile(synthetic_sound(score, np.random.default_rng(2), sample_rate=44_100), (1, 2))[:, : 30 * 44_100]
    listen(clip, 44_100)
    began = time.process_time()
    listen(clip, 44_100)
    assert time.process_time() - began < 2.0
