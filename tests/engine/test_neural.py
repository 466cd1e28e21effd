"""The neural synthesizer with tiny random weights: what holds whatever it has learned."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from musicgen_ui.audio.partials import BANDS, DRUM_GRID, DRUM_KNOTS, GRID, KNOTS
from musicgen_ui.audio.soundfont import PlayedNote
from musicgen_ui.engine.neural import ENCODER, GENERATOR, NeuralSynthesizer
from musicgen_ui.engine.neural_player import NeuralPlayer
from musicgen_ui.errors import Cancelled, RequestError
from musicgen_ui.models.checkpoint import save
from musicgen_ui.models.vae_gan.condition import TimbreLabels
from musicgen_ui.models.vae_gan.config import BranchConfig, EncoderConfig, StemConfig, VAEGANConfig
from musicgen_ui.models.vae_gan.encoder import TimbreEncoder
from musicgen_ui.models.vae_gan.generator import Generator
from musicgen_ui.models.vae_gan.stem import HOP
from musicgen_ui.music.score import Note, Score
from musicgen_ui.style import Style
from musicgen_ui.timbre import Z_LIMIT, Timbre, TimbrePoint

SIZES = {"code": 16, "seed": 4, "width": 8, "zone": 4}
PROGRAMS = {"lead": 40, "chords": 4, "bass": 33, "drums": 0}


def make(seed: int = 3) -> tuple[Generator, TimbreEncoder]:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        config = VAEGANConfig(
            BranchConfig((0, 4, 33, 40), False, len(KNOTS), len(GRID), BANDS, **SIZES),
            BranchConfig((0, 25), True, len(DRUM_KNOTS), len(DRUM_GRID), BANDS, **SIZES),
            StemConfig(width=8, hidden=12, blocks=1, mels=16),
        )
        generator = Generator(config).eval()
        with torch.no_grad():
            for head in (generator.stem.filter_head, generator.stem.residual_head):
                head.weight.normal_(std=0.05)
        return generator, TimbreEncoder(EncoderConfig(mels=16, width=16)).eval()


@pytest.fixture(scope="module")
def synthesizer() -> NeuralSynthesizer:
    return NeuralSynthesizer(*make())


@pytest.fixture(scope="module")
def score() -> Score:
    """A bar at an awkward tempo; the bass has nothing to play."""
    parts = {
        "lead": tuple(Note(beat, 72 + beat % 3, 0.9, 90) for beat in range(4)),
        "chords": tuple(Note(0.0, pitch, 3.9, 70) for pitch in (57, 60, 64)),
        "bass": (),
        "drums": tuple(Note(float(beat), (36, 38)[beat % 2], 0.25, 100) for beat in range(4)),
    }
    return Score(137.3, "4/4", 1, parts)


def play(synthesizer, score, *, style=None, timbre=None, seed=0, programs=PROGRAMS, hook=None):
    return synthesizer.render(score, programs, style=style or Style(), timbre=timbre or Timbre(), seed=seed, hook=hook)


@pytest.fixture(scope="module")
def stems(synthesizer, score):
    return play(synthesizer, score)


def apart(a, b):
    return {part: float(np.abs(a[part] - b[part]).max()) for part in a}


def test_stems_have_the_exact_length_and_stay_in_range(stems, score):
    assert list(stems) == ["lead", "chords", "bass", "drums"]
    for part, stem in stems.items():
        assert stem.shape == (score.samples(),)
        assert stem.dtype == np.float32
        assert np.abs(stem).max() <= 1
        assert stem.any() == (part != "bass")
        assert abs(stem[-1]) < 1e-6


def test_a_score_without_notes_is_silent(synthesizer):
    found = play(synthesizer, Score(120, "3/4", 2, {"lead": (), "drums": ()}))
    assert {part: (len(stem), stem.any()) for part, stem in found.items()} == {
        "lead": (3 * 44_100, False),
        "drums": (3 * 44_100, False),
    }


@pytest.mark.parametrize("hops", [1, 7, 40, 1000])
def test_a_stream_equals_one_pass(synthesizer, score, stems, hops):
    chunks = list(synthesizer.stream(score, PROGRAMS, style=Style(), timbre=Timbre(), seed=0, chunk=hops * HOP))
    assert len(chunks) > 1
    assert all(len({len(samples) for samples in chunk.values()}) == 1 for chunk in chunks)
    joined = {part: np.concatenate([chunk[part] for chunk in chunks]) for part in stems}
    assert max(apart(joined, stems).values()) < 1e-5


def test_a_join_within_the_last_fade_is_not_heard(synthesizer):
    """The end lies 100 samples behind a chunk's: the fade of 5 ms begins in one chunk and ends in the next."""
    total = 80 * HOP + 100
    score = Score(60.0 * 3 * 44_100 / total, "3/4", 1, {"lead": (Note(0.0, 60, 3.0, 100),)})
    assert score.samples() == total
    whole = play(synthesizer, score)["lead"]
    chunks = synthesizer.stream(score, PROGRAMS, style=Style(), timbre=Timbre(), seed=0, chunk=40 * HOP)
    joined = np.concatenate([chunk["lead"] for chunk in chunks])
    assert np.abs(joined - whole).max() < 1e-5


def test_the_same_input_gives_the_same_bytes(score, stems):
    again = play(NeuralSynthesizer(*make()), score, seed=9)
    assert all(np.array_equal(stems[part], again[part]) for part in stems)


def test_a_part_does_not_hear_the_others(synthesizer, score, stems):
    alone = play(synthesizer, score.with_parts(["lead"]))
    assert list(alone) == ["lead"]
    assert np.abs(alone["lead"] - stems["lead"]).max() < 1e-5


def test_the_hook_counts_samples_and_can_cancel(synthesizer, score):
    calls = []
    play(synthesizer, score, hook=lambda *call: calls.append(call))
    assert calls[0] == ("synthesize", 0, score.samples())
    assert calls[-1] == ("synthesize", score.samples(), score.samples())
    assert calls == sorted(calls)

    def stop(stage, done, total):
        if done:
            raise Cancelled

    with pytest.raises(Cancelled):
        play(synthesizer, score, hook=stop)


def test_bfloat16_is_close(synthesizer, score, stems):
    quick = NeuralSynthesizer(synthesizer.generator, synthesizer.encoder, bf16=True)
    found = play(quick, score)
    for part in ("lead", "chords", "drums"):
        error = np.linalg.norm(found[part] - stems[part])
        assert 0 < error < 0.05 * np.linalg.norm(stems[part])


@pytest.mark.parametrize("morph", [0.0, 0.37, 1.0])
def test_a_morph_from_own_to_own_changes_nothing(synthesizer, score, stems, morph):
    assert max(apart(play(synthesizer, score, timbre=Timbre(morph=morph)), stems).values()) < 1e-5


def test_a_random_timbre_sounds_different_where_it_applies(synthesizer, score, stems):
    one, other = (
        play(synthesizer, score, timbre=Timbre(TimbrePoint("random", seed), parts=("lead",))) for seed in (1, 2)
    )
    assert apart(one, stems)["lead"] > 1e-3
    assert apart(one, other)["lead"] > 1e-3
    assert max(value for part, value in apart(one, stems).items() if part != "lead") < 1e-5


def test_a_morph_ends_at_its_points(synthesizer, score):
    a, b = TimbrePoint("random", 1), TimbrePoint("recorded", z=tuple(np.linspace(-1, 1, 32).tolist()))
    ends = [play(synthesizer, score, timbre=Timbre(point)) for point in (a, b)]
    for morph, end in zip((0.0, 1.0), ends, strict=True):
        assert max(apart(play(synthesizer, score, timbre=Timbre(a, b, morph)), end).values()) < 1e-5
    middle = play(synthesizer, score, timbre=Timbre(a, b, 0.5))
    assert all(apart(middle, end)["lead"] > 1e-4 for end in ends)


def test_style_and_instrument_change_the_sound(synthesizer, score, stems):
    bright = play(synthesizer, score, style=Style(brightness=1.0))
    assert apart(bright, stems)["lead"] > 1e-5
    other = play(synthesizer, score, programs=PROGRAMS | {"lead": 0, "drums": 25})
    assert apart(other, stems)["lead"] > 1e-3
    assert apart(other, stems)["drums"] > 1e-3
    assert apart(other, stems)["chords"] < 1e-5


def test_a_missing_program_falls_back(synthesizer, score, stems):
    found = play(synthesizer, score, programs={"lead": 40, "chords": 4})
    assert max(apart(found, stems).values()) < 1e-5


def test_a_stem_that_would_clip_is_bent(score):
    generator, encoder = make()
    with torch.no_grad():
        generator.notes["pitched"].head.bias[: len(GRID)] += 5.0
    found = play(NeuralSynthesizer(generator, encoder), score)
    assert 0.9 < np.abs(found["chords"]).max() <= 1.0


def test_a_recording_becomes_a_point(synthesizer):
    time = np.arange(44_100) / 44_100
    point = synthesizer.encode((0.3 * np.sin(2 * np.pi * 330 * time)).astype(np.float32))
    assert point.kind == "recorded"
    assert len(point.z) == 32
    encoder = make()[1]
    with torch.no_grad():
        encoder.mean.weight.mul_(1e4)
    wild = NeuralSynthesizer(synthesizer.generator, encoder).encode(np.ones(4096, np.float32))
    assert np.abs(wild.z).max() <= Z_LIMIT


def test_it_is_loaded_from_its_checkpoints(synthesizer, score, tmp_path):
    with pytest.raises(RequestError, match="the checkpoint is missing"):
        NeuralSynthesizer.load(tmp_path)
    save(tmp_path / GENERATOR, synthesizer.generator, synthesizer.generator.config, {})
    save(tmp_path / ENCODER, synthesizer.encoder, synthesizer.encoder.config, {})
    loaded = NeuralSynthesizer.load(tmp_path)
    assert list(play(loaded, score)) == list(score.parts)


def test_the_player_leaves_out_what_it_is_told_to(synthesizer):
    player = NeuralPlayer(synthesizer)
    assert player.programs == {0, 4, 33, 40}
    assert player.kits == {0, 25}
    notes = [PlayedNote(0, 8000, 60, 90)]

    def sound(**changes):
        asked = {
            "labels": TimbreLabels(),
            "z": None,
            "stem_level": True,
            "known": True,
            "seed": 1,
        }
        return player.play(notes, 40, False, 20_000, **(asked | changes))

    plain = sound()
    assert plain.shape == (20_000,)
    assert np.array_equal(plain, sound())
    assert not np.array_equal(plain, sound(seed=2))
    assert not np.array_equal(plain, sound(known=False))
    assert not np.array_equal(plain, sound(stem_level=False))
    assert not np.array_equal(plain, sound(labels=replace(TimbreLabels(), brightness=1.0)))
    mean = player.prior_mean(40, False)
    assert np.array_equal(sound(z=mean), sound(z=mean, seed=5))
