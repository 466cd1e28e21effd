"""Composing obeys what is exact (key, tempo, metre, length, parts) and is a function of style and seed."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from musicgen_ui.audio.networks import load_networks
from musicgen_ui.engine.compose import compose, compose_many, in_key, mood_of_mode, resolve_key
from musicgen_ui.engine.judge import distance, key_doubt
from musicgen_ui.engine.orchestrate import ANY, BANDS, choose_programs
from musicgen_ui.models.composer import ComposerConfig
from musicgen_ui.models.composer_lstm import LSTMComposer
from musicgen_ui.music.instruments import CHOICES, program_number
from musicgen_ui.music.measures import MEASURED
from musicgen_ui.music.score import Note, Score
from musicgen_ui.music.theory import KEYS, key_is_minor
from musicgen_ui.scale import UnitScale
from musicgen_ui.style import GENRES, PartSetting, Style

SCALES = {key: UnitScale.fit(np.linspace(-1, 4, 200)) for key in MEASURED}


@pytest.fixture(scope="module")
def composer() -> LSTMComposer:
    config = ComposerConfig(
        width=16, hidden=24, head_hidden=16, latent=4, heads=2, memory_bars=3, drum_masks=(0, 1, 2, 3, 16)
    )
    with torch.random.fork_rng():
        torch.manual_seed(3)
        return LSTMComposer(config).eval()


def write(composer, style, seed=1, bars=2, takes=1):
    return compose(composer, style, seed=seed, bars=bars, takes=takes, scales=SCALES)


@pytest.mark.parametrize(("metre", "tempo", "bars"), [("4/4", 97.0, 3), ("3/4", 61.5, 2)])
def test_tempo_metre_and_length_are_exact(composer, metre, tempo, bars):
    score = write(composer, Style(tempo=tempo, metre=metre), bars=bars)
    assert (score.tempo, score.metre, score.bars) == (tempo, metre, bars)
    assert all(n.onset >= 0 and n.onset + n.duration <= score.beats for part in score.parts.values() for n in part)


@pytest.mark.parametrize("key", KEYS)
def test_the_key_is_set_exactly(composer, key):
    style = Style(key=key, mood=0.9 if key_is_minor(key) else 0.1)
    score = write(composer, style, bars=1)
    assert score.key == key
    # Every key says the same piece: the pitch classes are those of the neutral key, moved.
    neutral = write(composer, replace(style, key="A minor" if key_is_minor(key) else "C major"), bars=1)
    shift = (KEYS.index(key) - KEYS.index(neutral.key)) % 12
    assert [n.pitch % 12 for n in score.notes("bass")] == [(n.pitch + shift) % 12 for n in neutral.notes("bass")]


def test_auto_key_follows_the_mood_and_the_seed():
    assert resolve_key(Style(mood=0.1), 5).endswith("minor")
    assert resolve_key(Style(mood=0.9), 5).endswith("major")
    assert len({resolve_key(Style(), seed) for seed in range(60)}) == 12
    assert resolve_key(Style(key="Eb minor", mood=0.9), 5) == "Eb minor"


def test_same_request_same_score_and_another_seed_another(composer):
    style = Style(key="C major")
    assert write(composer, style) == write(composer, style)
    assert write(composer, style).parts != write(composer, style, seed=2).parts


def test_only_active_parts_are_written(composer):
    style = Style(parts={"lead": PartSetting(on=False), "drums": PartSetting(on=False)})
    score = write(composer, style)
    assert set(score.parts) == {"chords", "bass"} == set(score.programs)


def test_more_takes_never_lie_further_from_the_request(composer):
    style = Style(key="C major", density=0.9, energy=0.2)

    networks = load_networks()

    def miss(score):
        return distance(score, style, SCALES, networks)

    gained = []
    for seed in range(4):
        misses = [miss(write(composer, style, seed=seed, takes=takes)) for takes in (1, 2, 6)]
        assert misses[0] >= misses[1] >= misses[2]
        gained.append(misses[0] - misses[2])
    assert max(gained) > 0


@pytest.mark.parametrize("metre", ["4/4", "3/4"])
def test_many_styles_at_once_are_what_each_is_alone(composer, metre):
    rng = np.random.default_rng(0)
    keys = ("energy", "mood", "complexity", "density", "syncopation")
    styles = [
        Style(metre=metre, tempo=60.0 + 10 * i, genre={GENRES[i]: 1}, **{key: float(rng.random()) for key in keys})
        for i in range(6)
    ]
    together = compose_many(composer, styles, range(6), bars=2, takes=2, scales=SCALES)
    assert together == [write(composer, style, seed=i, takes=2) for i, style in enumerate(styles)]
    assert compose_many(composer, [], [], bars=2, scales=SCALES) == []


def test_a_batch_has_one_metre_and_one_set_of_parts(composer):
    for other in (Style(metre="3/4"), Style(parts={"lead": PartSetting(on=False)})):
        with pytest.raises(ValueError, match="agree"):
            compose_many(composer, [Style(), other], [1, 2], bars=1, scales=SCALES)
    with pytest.raises(ValueError, match="seed"):
        compose_many(composer, [Style()], [1, 2], bars=1, scales=SCALES)


def test_key_doubt_is_low_for_a_plain_cadence_and_high_in_another_key():
    triads = ((60, 64, 67), (65, 69, 72), (67, 71, 74), (60, 64, 67))
    notes = tuple(Note(float(4 * i), p, 4.0, 80) for i, triad in enumerate(triads) for p in triad)
    score = Score(100.0, "4/4", 4, {"chords": notes}, key="C major")
    assert key_doubt(score) < 0.3
    assert key_doubt(replace(score, key="F# major")) == 1.0
    assert key_doubt(Score(100.0, "4/4", 4, {"drums": (Note(0.0, 36, 1.0, 80),)}, key="C major")) == 0.0


def test_in_key_takes_the_smaller_way_and_stays_in_range():
    score = Score(
        100.0, "4/4", 1, {"bass": (Note(0.0, 24, 1.0, 80),), "lead": (Note(0.0, 96, 1.0, 80),)}, key="C major"
    )
    assert in_key(score, "B major").notes("lead")[0].pitch == 95
    assert in_key(score, "B major").notes("bass")[0].pitch == 35
    assert in_key(score, "C major").parts == score.parts


def test_the_hook_can_stop_it(composer):
    class StopError(Exception):
        pass

    def stop(stage, done, total):
        raise StopError

    with pytest.raises(StopError):
        compose(composer, Style(), seed=1, bars=1, scales=SCALES, hook=stop)


def test_every_band_is_offered():
    assert set(BANDS) == {*GENRES, ANY}
    for band in BANDS.values():
        for part, names in band.items():
            assert set(names) <= set(CHOICES[part])


def test_a_chosen_instrument_is_used_and_the_others_do_not_move():
    chosen = Style(genre={"jazz": 1}, parts={"lead": PartSetting(instrument="flute")})
    programs, automatic = choose_programs(chosen, 3), choose_programs(Style(genre={"jazz": 1}), 3)
    assert programs["lead"] == program_number("lead", "flute")
    assert {k: v for k, v in programs.items() if k != "lead"} == {k: v for k, v in automatic.items() if k != "lead"}


def test_the_mood_keeps_to_its_mode_and_off_the_border():
    moods = np.linspace(0, 1, 41)
    for chosen in (False, True):
        minor = [mood_of_mode(mood, minor=True, chosen=chosen) for mood in moods]
        major = [mood_of_mode(mood, minor=False, chosen=chosen) for mood in moods]
        assert minor == sorted(minor)
        assert major == sorted(major)
        assert max(minor) <= 0.4
        assert min(major) >= 0.6
        np.testing.assert_allclose(minor, 1 - np.array(major)[::-1])
        np.testing.assert_allclose(minor[:15], moods[:15])
    # A chosen key leaves the mood somewhere to go on its far side, too.
    assert mood_of_mode(0.9, minor=True, chosen=True) > mood_of_mode(0.6, minor=True, chosen=True)
