"""The guide measures what ``music.measures`` measures, every lean moves its measure the right way, within bounds."""

import numpy as np
import pytest
import torch

from musicgen_ui.models.composer import ComposerConfig
from musicgen_ui.models.composer_lstm import LSTMComposer
from musicgen_ui.models.condition import condition_of
from musicgen_ui.models.control import Control
from musicgen_ui.models.harmony_control import MOST_TILT, same_mass
from musicgen_ui.models.onset_control import MOST
from musicgen_ui.models.pick import SamplingConfig
from musicgen_ui.models.running_measures import Closing, RunningMeasures, key_profiles, mood
from musicgen_ui.models.sampling import Plan, draw_noise, write_tables
from musicgen_ui.models.steering import STEERED, SliderGuide
from musicgen_ui.music import measures
from musicgen_ui.music.score import METRES
from musicgen_ui.music.table import DRUM_CLASSES, FIELDS, DrumVocabulary, from_table
from musicgen_ui.music.theory import key_correlations
from musicgen_ui.music.tokens import decode
from musicgen_ui.style import Style

BARS, TAKES = 4, 3
NOTHING = float("nan")
RANGES = {
    "mood": (-0.3, 0.3),
    "energy": (-0.8, 0.8),
    "density": (0.8, 3.2),
    "syncopation": (0.1, 0.7),
    "complexity": (0.7, 1.1),
}


@pytest.fixture(scope="module")
def composer():
    # A set of kit pieces for every drum class, or what lies beyond the vocabulary is read as its last set.
    sizes = {"width": 16, "hidden": 24, "head_hidden": 16, "latent": 4, "heads": 2, "memory_bars": 3}
    config = ComposerConfig(**sizes, dropout=0.0, drum_masks=tuple(range(DRUM_CLASSES)))
    with torch.random.fork_rng():
        torch.manual_seed(3)
        return LSTMComposer(config).eval()


def quiet(*progress):
    pass


def written(composer, targets, strength=1.0, metre=0, seeds=range(TAKES)):
    """Tables of takes and their scores. targets: measure to value, or (takes,) values; the others are not steered."""
    seeds = list(seeds)
    per_bar = 16 if metre == 0 else 12
    vocabulary = DrumVocabulary(composer.config.drum_masks)
    wanted = torch.full((len(seeds), len(STEERED)), NOTHING)
    for name, value in targets.items():
        wanted[:, STEERED.index(name)] = torch.as_tensor(value)
    minor = torch.zeros(len(seeds), dtype=torch.bool)
    guide = SliderGuide(
        wanted, minor, torch.zeros(len(seeds)), vocabulary, steps=BARS * per_bar, per_bar=per_bar, strength=strength
    )
    asked = condition_of(Style(metre=list(METRES)[metre]), minor=False).expand(len(seeds))
    latents, noise = draw_noise(seeds, BARS * per_bar, composer.config.latent)
    z = composer.prior(asked, latents)
    config = SamplingConfig()
    tables = write_tables(
        composer, asked, z, noise, steps_per_bar=per_bar, config=config, hook=quiet, plan=Plan(guide=guide)
    )
    name = list(METRES)[metre]
    scores = [decode(from_table(t, vocabulary, name, np.ones(4, bool)), tempo=100.0) for t in tables.numpy()]
    return tables, scores, guide


@pytest.mark.parametrize("metre", [0, 1])
def test_the_running_measures_are_those_of_the_finished_score(composer, metre):
    _, scores, guide = written(composer, {"density": 2.0}, metre=metre)
    for name in STEERED:
        ours = getattr(guide.now, name)()
        theirs = [getattr(measures, name)(score) for score in scores]
        # What rings is counted without its micro-timing, which is wild here.
        tolerance = 0.1 if name in ("mood", "complexity") else 1e-6
        np.testing.assert_allclose(ours, theirs, atol=tolerance)


@pytest.mark.parametrize("name", STEERED)
def test_a_lean_moves_its_measure_the_right_way(composer, name):
    low, high = (
        np.mean([getattr(measures, name)(score) for score in written(composer, {name: value})[1]])
        for value in RANGES[name]
    )
    assert high > low + 0.1 * (RANGES[name][1] - RANGES[name][0])


def test_density_and_syncopation_are_reached_together(composer):
    wanted = {"density": 1.5, "syncopation": 0.4}
    for name, value in wanted.items():
        misses = [
            np.mean([abs(getattr(measures, name)(score) - value) for score in written(composer, targets)[1]])
            for targets in ({}, wanted)
        ]
        assert misses[1] < 0.5 * misses[0]


def test_strength_zero_and_no_targets_write_what_no_guide_writes(composer):
    asked = condition_of(Style(), minor=False).expand(TAKES)
    latents, noise = draw_noise(list(range(TAKES)), BARS * 16, composer.config.latent)
    z = composer.prior(asked, latents)
    plain = write_tables(composer, asked, z, noise, steps_per_bar=16, config=SamplingConfig(), hook=quiet)
    extremes = {name: high for name, (_, high) in RANGES.items()}
    assert torch.equal(written(composer, extremes, strength=0.0)[0], plain)
    assert torch.equal(written(composer, {})[0], plain)
    assert not torch.equal(written(composer, extremes)[0], plain)


def test_a_take_is_steered_as_if_it_were_alone(composer):
    targets = torch.linspace(0.8, 3.2, TAKES)
    together = written(composer, {"density": targets, "mood": 0.2})[0]
    for take in (0, TAKES - 1):
        alone = written(composer, {"density": targets[take], "mood": 0.2}, seeds=[take])[0]
        assert torch.equal(together[take], alone[0])


def test_leans_are_bounded_and_begin_at_nothing(composer):
    low = {name: -100.0 if name != "density" else 0.0 for name in STEERED}
    guide = written(composer, low)[2]
    assert float(guide.harmony.tilt.abs().max()) <= MOST_TILT
    assert max(float(bias.abs().max()) for bias in guide.onsets.bias) <= MOST
    fresh = Control(torch.zeros(1), width=1.0, tolerance=0.1, proportional=1.0, integral=1.0, most=2.0)
    assert float(fresh.update(torch.tensor([50.0]), 0.0)) == 0.0
    leans = [float(fresh.update(torch.tensor([50.0]), beats)) for beats in (1.0, 2.0, 8.0, 30.0)]
    assert leans == sorted(leans)
    assert leans[-1] == 2.0
    calm = Control(torch.zeros(1), width=1.0, tolerance=0.1, proportional=1.0, integral=1.0, most=2.0)
    assert [float(calm.update(torch.tensor([error]), 9.0)) for error in (0.1, -0.1, NOTHING)] == [0.0, 0.0, 0.0]


def test_the_mood_of_weights_and_where_it_rises():
    generator = torch.Generator().manual_seed(0)
    weights = torch.rand(5, 12, generator=generator, dtype=torch.float64)
    value, rising = mood(weights, key_profiles())
    for row, one, slope in zip(weights.numpy(), value, rising, strict=True):
        correlations = key_correlations(row)
        assert float(one) == pytest.approx(correlations[:12].max() - correlations[12:].max())
        centred = np.linalg.norm(row - row.mean())
        for pc in range(12):
            moved = row.copy()
            moved[pc] += 1e-6
            after = key_correlations(moved)
            step = (after[:12].max() - after[12:].max() - float(one)) / 1e-6
            assert step == pytest.approx(float(slope[pc]) / centred, abs=1e-4)


def test_a_tilt_leaves_the_chance_of_any_note_alone():
    logits = torch.tensor([[1.0, -2.0, float("-inf"), 0.5]])
    tilted = same_mass(logits, torch.tensor([[2.0, 0.0, 1.0, -3.0]]))
    assert float(tilted.logsumexp(-1)) == pytest.approx(float(logits.double().logsumexp(-1)))
    assert float(tilted[0, 2]) == float("-inf")
    assert tilted[0, 0] > logits[0, 0]
    nothing = torch.full((1, 3), float("-inf"))
    assert torch.equal(same_mass(nothing, torch.ones(1, 3)), nothing.double())


def test_a_closing_chord_is_seen_coming():
    closing = Closing(after=2.0, beats=2.0, strength=3.0, chroma=torch.eye(12, dtype=torch.float64)[:1])
    now = RunningMeasures(1, DrumVocabulary((0, 1)), torch.device("cpu"), closing)
    row = torch.zeros(1, len(FIELDS), dtype=torch.long)
    for _ in range(8):
        now.wrote(row)
    assert (now.share, now.span) == (1.0, 4.0)
    assert float(now.density()) == pytest.approx(1 / 4)
    assert torch.equal(now.sounding(), closing.chroma)
