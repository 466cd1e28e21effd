"""The raw-audio WaveNet in the studio, with tiny random weights: what holds whatever it has learned."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from musicgen_ui.engine.loading import load_raw
from musicgen_ui.engine.raw_player import CHECKPOINT, CHUNK, RawWaveNetSynthesizer
from musicgen_ui.errors import Cancelled, RequestError
from musicgen_ui.models.checkpoint import save
from musicgen_ui.models.wavenet.excitation import TONE_SIZE
from musicgen_ui.models.wavenet.frames import RATE
from musicgen_ui.models.wavenet.raw import RawWaveNet, RawWaveNetConfig
from musicgen_ui.music.score import Note, Score
from musicgen_ui.style import Style
from musicgen_ui.timbre import Timbre, TimbrePoint

CONFIG = RawWaveNetConfig(
    residual=8,
    skip=16,
    dilations=(1, 2, 4, 8),
    frame_hidden=8,
    frame_width=8,
    programs=(0, 33, 40),
    lows=(24, 24, 48),
    highs=(96, 60, 96),
    gains=(2.0, 2.0, 4.0),
)
PROGRAMS = {"lead": 40, "chords": 4, "bass": 33, "drums": 0}


class Others:
    """Plays a constant, and remembers what it was asked for."""

    def __init__(self):
        self.asked = []

    def stream(self, score, programs, *, style, timbre, seed, hook=None, chunk=CHUNK):
        self.asked.append((tuple(score.parts), style, timbre, seed))
        total = score.samples()
        for begin in range(0, total, chunk):
            yield {part: np.full(min(chunk, total - begin), 0.25, dtype=np.float32) for part in score.parts}
            hook("synthesize", min(total, begin + chunk), total)


def make(seed: int = 3, **changes: object) -> RawWaveNet:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = RawWaveNet(replace(CONFIG, **changes)).eval()
        model.tone_rows.copy_(0.2 * torch.randn(model.config.pitches, TONE_SIZE))
        return model


@pytest.fixture(scope="module")
def synthesizer() -> RawWaveNetSynthesizer:
    return RawWaveNetSynthesizer(make(), Others())


@pytest.fixture(scope="module")
def score() -> Score:
    """A bar at an awkward tempo."""
    parts = {
        "lead": tuple(Note(beat, 72 + beat % 3, 0.9, 90) for beat in range(4)),
        "chords": tuple(Note(0.0, pitch, 3.9, 70) for pitch in (57, 60, 64)),
        "bass": (Note(0.0, 36, 1.0, 90), Note(2.0, 43, 1.0, 90)),
        "drums": tuple(Note(float(beat), 36, 0.25, 100) for beat in range(4)),
    }
    return Score(137.3, "4/4", 1, parts)


def play(synthesizer, score, *, style=None, timbre=None, seed=0, programs=PROGRAMS, hook=None):
    return synthesizer.render(score, programs, style=style or Style(), timbre=timbre or Timbre(), seed=seed, hook=hook)


@pytest.fixture(scope="module")
def stems(synthesizer, score):
    return play(synthesizer, score)


def test_stems_have_the_exact_length_and_stay_in_range(stems, score):
    assert list(stems) == ["lead", "chords", "bass", "drums"]
    for stem in stems.values():
        assert stem.shape == (score.samples(),)
        assert stem.dtype == np.float32
        assert 0.05 < np.abs(stem).max() <= 1
    assert abs(stems["lead"][-1]) < 1e-6


@pytest.mark.parametrize("tempo", [60.0, 61.7, 97.13, 180.0])
def test_every_length_is_reached(synthesizer, tempo):
    score = Score(tempo, "3/4", 1, {"lead": (Note(0.0, 60, 3.0, 90),)})
    stem = play(synthesizer, score)["lead"]
    assert len(stem) == score.samples()
    assert stem[-400:-230].any(), "it sounds up to the last fade"


def test_the_others_play_their_parts_alone(score):
    others = Others()
    style = Style(brightness=0.9)
    found = play(RawWaveNetSynthesizer(make(), others), score, style=style, seed=5)
    assert others.asked == [(("chords", "drums"), style, Timbre(), 5)]
    assert set(np.unique(found["chords"])) == {np.float32(0.25)}
    alone = Others()
    assert list(play(RawWaveNetSynthesizer(make(), alone), score.with_parts(["bass", "lead"]))) == ["lead", "bass"]
    assert alone.asked == []


def test_a_score_without_notes_is_silent(synthesizer):
    found = play(synthesizer, Score(120, "3/4", 2, {"lead": (), "bass": ()}))
    assert {part: (len(stem), stem.any()) for part, stem in found.items()} == {
        "lead": (3 * 44_100, False),
        "bass": (3 * 44_100, False),
    }


@pytest.mark.parametrize("chunk", [512, 7 * 512, 40 * 512])
def test_a_stream_equals_one_pass(synthesizer, score, stems, chunk):
    chunks = list(synthesizer.stream(score, PROGRAMS, style=Style(), timbre=Timbre(), seed=0, chunk=chunk))
    assert len(chunks) > 1
    assert all(len({len(samples) for samples in piece.values()}) == 1 for piece in chunks)
    for part, stem in stems.items():
        assert np.array_equal(np.concatenate([piece[part] for piece in chunks]), stem)


def test_the_seed_is_the_noise(score, stems):
    again = play(RawWaveNetSynthesizer(make(), Others()), score)
    assert all(np.array_equal(stems[part], again[part]) for part in stems)
    other = play(RawWaveNetSynthesizer(make(), Others()), score, seed=1)
    for part in ("lead", "bass"):
        assert not np.allclose(stems[part], other[part], atol=1e-3)
    assert not np.allclose(stems["lead"][:20_000], stems["bass"][:20_000], atol=1e-3)


def test_the_threads_play_no_role(score, stems):
    threads = torch.get_num_threads()
    try:
        for count in (1, 3):
            torch.set_num_threads(count)
            found = play(RawWaveNetSynthesizer(make(), Others()), score)
            assert all(np.array_equal(stems[part], found[part]) for part in stems)
    finally:
        torch.set_num_threads(threads)


def test_a_part_does_not_hear_the_others(synthesizer, score, stems):
    for part in ("lead", "bass"):
        assert np.array_equal(play(synthesizer, score.with_parts([part]))[part], stems[part])


def test_a_second_voice_leaves_the_melody_as_it_is(synthesizer):
    upper, lower = Note(0.0, 72, 2.0, 90), Note(0.0, 60, 2.0, 90)
    duet, solo, below = (
        play(synthesizer, Score(120, "4/4", 1, {"lead": notes}))["lead"] for notes in ((lower, upper), (upper,), ())
    )
    assert np.abs(duet - solo).max() > 0.02
    assert not below.any()
    bars = slice(0, 44_100)
    share = np.dot(duet[bars], solo[bars]) / np.dot(solo[bars], solo[bars])
    assert share == pytest.approx(1.0, abs=0.15), "the melody is in the sum, at its own level"


def test_style_and_instrument_change_the_sound(synthesizer, score, stems):
    bright = play(synthesizer, score, style=Style(brightness=1.0))
    assert not np.array_equal(bright["lead"], stems["lead"])
    other = play(synthesizer, score, programs=PROGRAMS | {"lead": 0})
    assert not np.array_equal(other["lead"], stems["lead"])
    assert np.array_equal(other["bass"], stems["bass"])
    unknown = play(synthesizer, score, programs=PROGRAMS | {"lead": 41})
    assert np.array_equal(unknown["lead"], stems["lead"]), "a viola is played by the violin"


def test_what_was_made_louder_to_be_learned_is_made_softer_again(score):
    lead = score.with_parts(["lead"])
    loud, soft = (play(RawWaveNetSynthesizer(make(gains=(gain,) * 3), Others()), lead)["lead"] for gain in (40.0, 80.0))
    assert 0 < np.abs(loud).max() < 0.9
    np.testing.assert_allclose(soft, loud / 2, atol=1e-7)


def test_nothing_sounds_where_nothing_is_played(synthesizer):
    """A bar, two bars of rest, a bar: silence but for the tail of a second."""
    score = Score(120, "4/4", 4, {"lead": (Note(0.0, 60, 4.0, 90), Note(12.0, 60, 4.0, 90))})
    stem = play(synthesizer, score)["lead"]
    assert np.abs(stem[: 3 * 44_100]).max() > 0.05
    assert np.abs(stem[round(3.05 * 44_100) : round(5.95 * 44_100)]).max() < 1e-5
    assert np.abs(stem[round(6.0 * 44_100) :]).max() > 0.05


def test_the_hook_counts_the_work_and_can_cancel(synthesizer, score):
    calls = []
    play(synthesizer, score, hook=lambda *call: calls.append(call))
    total = calls[0][2]
    assert calls[0] == ("synthesize", 0, total)
    assert calls[-1] == ("synthesize", total, total)
    assert calls == sorted(calls)
    seconds = score.samples() / 44_100
    assert len(calls) > 8 * seconds, "often enough to stop within a tenth of a second"
    assert RATE * seconds < total < 2.9 * RATE * seconds

    seen = []

    def stop(stage, done, total):
        seen.append(done)
        if done > total / 3:
            raise Cancelled

    with pytest.raises(Cancelled):
        play(synthesizer, score, hook=stop)
    assert len(seen) < len(calls) / 2


def test_a_timbre_is_refused(synthesizer, score):
    with pytest.raises(RequestError, match="timbre: wavenet plays fixed instruments; only vaegan can change it"):
        play(synthesizer, score, timbre=Timbre(TimbrePoint("random", 1)))


def test_it_is_loaded_from_its_checkpoint(score, tmp_path):
    with pytest.raises(RequestError, match="the checkpoint is missing"):
        RawWaveNetSynthesizer.load(tmp_path, Others())
    save(tmp_path / CHECKPOINT, make(), CONFIG, {})
    loaded = RawWaveNetSynthesizer.load(tmp_path, Others())
    assert loaded.config == CONFIG
    assert list(play(loaded, score)) == list(score.parts)


def test_the_studio_names_a_missing_file(score, tmp_path):
    with pytest.raises(RequestError, match=rf"^{CHECKPOINT}: is missing from .*: the raw-audio WaveNet needs it$"):
        load_raw(tmp_path, None)
    save(tmp_path / CHECKPOINT, make(), CONFIG, {})
    alone = load_raw(tmp_path, None)
    assert play(alone, score.with_parts(["lead"]))["lead"].any()
    with pytest.raises(ValueError, match="nobody plays chords and drums"):
        play(alone, score)
