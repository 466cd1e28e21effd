"""All of it together, and through a file."""

import hashlib

import pytest
import torch

from musicgen_ui.audio.partials import BANDS, DRUM_GRID, DRUM_KNOTS, GRID, KNOTS
from musicgen_ui.audio.soundfont import PlayedNote
from musicgen_ui.models.checkpoint import load_into, save
from musicgen_ui.models.vae_gan.config import BranchConfig, EncoderConfig, VAEGANConfig
from musicgen_ui.models.vae_gan.encoder import TimbreEncoder
from musicgen_ui.models.vae_gan.generator import Generator
from musicgen_ui.models.vae_gan.performance import Sound
from musicgen_ui.models.vae_gan.stem import HOP

NOTES = [PlayedNote(0, 6000, 60, 100), PlayedNote(3000, 8000, 67, 80)]
LENGTH = 24 * HOP
MOST_PARAMETERS = 16_000_000


def play(generator, drums):
    with torch.inference_mode():
        sound = Sound(1, generator.network(drums).prior_mean[1])
        additive = generator.additive(drums, NOTES, sound, 0, LENGTH)
        return generator.finish(additive.unsqueeze(0), [sound], [drums], 0)[0]


@pytest.mark.parametrize("drums", [False, True])
def test_it_sounds_where_notes_are(generator, drums):
    out = play(generator, drums)
    assert out.shape == (LENGTH,)
    assert torch.isfinite(out).all()
    assert out[:8000].abs().max() > 1e-3


def test_no_notes_no_sound(generator):
    sound = Sound(0, generator.network(drums=False).prior_mean[0])
    assert not generator.additive(False, [], sound, 0, 1000).any()


@pytest.mark.parametrize("drums", [False, True])
def test_a_saved_generator_plays_the_same(generator, tmp_path, drums):
    path = tmp_path / "vaegan.safetensors"
    save(path, generator, generator.config, {"steps": 1})
    loaded = load_into(path, Generator, VAEGANConfig, "cpu")
    assert loaded.config == generator.config
    before, after = play(generator, drums), play(loaded, drums)
    # Float16 weights: amplitudes and phases are about three digits exact.
    assert (after - before).norm() < 0.02 * before.norm()
    save(tmp_path / "again.safetensors", loaded, loaded.config, {"steps": 1})
    assert torch.equal(play(load_into(tmp_path / "again.safetensors", Generator, VAEGANConfig, "cpu"), drums), after)


def test_the_same_seed_gives_the_same_bytes(make_generator, tmp_path):
    digests = []
    for run, seed in enumerate((3, 3, 4)):
        path = tmp_path / f"{run}.safetensors"
        generator = make_generator(seed)
        save(path, generator, generator.config, {})
        digests.append(hashlib.sha256(path.read_bytes()).hexdigest())
    assert digests[0] == digests[1] != digests[2]


def test_the_shipped_size_stays_under_sixteen_million_numbers():
    config = VAEGANConfig(
        BranchConfig(tuple(range(82)), False, len(KNOTS), len(GRID), BANDS),
        BranchConfig(tuple(range(7)), True, len(DRUM_KNOTS), len(DRUM_GRID), BANDS, code=256, seed=96),
    )
    with torch.device("meta"):
        sizes = [sum(v.numel() for v in TimbreEncoder(EncoderConfig()).state_dict().values())]
    with torch.random.fork_rng():
        sizes.append(sum(v.numel() for v in Generator(config).state_dict().values()))
    assert all(size <= MOST_PARAMETERS for size in sizes)
    assert sizes[1] > 1_000_000


def test_noise_before_the_beginning_is_that_of_the_end(generator):
    """A piece may begin before the first sample: places are counted round the noise's length."""
    silence = torch.zeros(1, 8 * HOP)
    sound = Sound(0, generator.network(drums=False).prior_mean[0])
    with torch.inference_mode():
        assert generator.finish(silence, [sound], [False], -4 * HOP).abs().max() < 1e-4
