"""The compiled sampler: equal to the cached one in PyTorch, whatever runs beside it and however it is cut."""

import hashlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from musicgen_ui.errors import Cancelled
from musicgen_ui.models.wavenet import kernel, vectors
from musicgen_ui.models.wavenet.fast import RawSampler, SamplerState, pieces, sampler_of
from musicgen_ui.models.wavenet.mu_law import SILENCE
from musicgen_ui.models.wavenet.packing import PackedWaveNet
from musicgen_ui.models.wavenet.raw import RawWaveNet, RawWaveNetConfig
from musicgen_ui.models.wavenet.sampler import sample_cached

GAP = np.array([False, True, True, True, False, False, True, True, True, True])


def classes(model, asked, chunk=1000):
    return np.concatenate(list(RawSampler(model).stream(asked, chunk=chunk)), axis=1)


def test_equals_the_cached_sampler(tiny, request_of):
    asked = [request_of(tiny, 20, seed, temperature=0.9) for seed in range(5)]
    assert np.array_equal(classes(tiny, asked), sample_cached(tiny, asked))


def test_equals_the_cached_sampler_at_full_size(default, request_of):
    asked = [request_of(default, 12, 3)]
    assert np.array_equal(classes(default, asked), sample_cached(default, asked))


def test_distribution_equals_the_models(tiny, default, request_of):
    for model in (tiny, default):
        config, asked = model.config, request_of(model, 6, 1)
        packed = PackedWaveNet.of(model)
        state = SamplerState.silent(packed, 1)
        drawn, found = [], []
        for frame in range(asked.frames):
            drawn.append(state.advance(packed, pieces(packed, [asked], frame, 1)))
            at = state.scratch.size - packed.shape[2] - kernel.BLOCK * packed.shape[0]
            weights = state.scratch[at : at + config.classes].astype(np.float64)
            found.append(weights / weights.sum())
        generator = torch.Generator().manual_seed(1)
        frames = torch.randn(1, 6, config.frame_features, generator=generator)
        with torch.no_grad():
            logits = model(
                torch.from_numpy(np.concatenate(drawn, axis=1).astype(np.int64)),
                torch.randn(1, 6 * config.hop, config.excitation, generator=generator),
                frames,
                torch.zeros(1, dtype=torch.int64),
                torch.zeros(1, config.conditions),
            )[0, config.hop - 1 :: config.hop]
        wanted = torch.log_softmax(logits.double(), dim=-1).numpy()
        likely = wanted > wanted.max(axis=-1, keepdims=True) - 15.9
        assert np.abs(np.log(np.stack(found)[likely]) - wanted[likely]).max() < 1e-4
        assert likely.sum() > 500


def test_streams_do_not_depend_on_each_other(tiny, request_of):
    asked = [request_of(tiny, 10, seed, active=np.roll(GAP, seed)) for seed in range(7)]
    together = classes(tiny, asked)
    for stream, one in zip(together, asked, strict=True):
        assert np.array_equal(stream, classes(tiny, [one])[0])


@pytest.mark.parametrize("chunk", [1, 7, 16, 100, 1600, 5000])
def test_pieces_are_the_whole(tiny, request_of, chunk):
    asked = [request_of(tiny, 40, 1), request_of(tiny, 37, 2)]
    parts = list(RawSampler(tiny).stream(asked, chunk=chunk))
    assert [part.shape[1] for part in parts[:-1]] == [chunk] * (len(parts) - 1)
    assert np.array_equal(np.concatenate(parts, axis=1), classes(tiny, asked))


def test_frames_that_are_not_active_are_silent_and_forgotten(tiny, request_of):
    asked = [request_of(tiny, 10, 1, active=GAP), request_of(tiny, 10, 2, active=~GAP)]
    drawn = classes(tiny, asked)
    assert np.array_equal(drawn, sample_cached(tiny, asked))
    assert (drawn[0].reshape(10, -1)[~GAP] == SILENCE).all()


def test_a_shorter_request_ends_in_silence(tiny, request_of):
    asked = [request_of(tiny, 3, 1), request_of(tiny, 33, 2)]
    drawn = classes(tiny, asked)
    assert drawn.shape == (2, 33 * 16)
    assert np.array_equal(drawn[0, :48], classes(tiny, asked[:1])[0])
    assert (drawn[0, 48:] == SILENCE).all()


def test_nothing_active_is_silence(tiny, request_of):
    told = []
    asked = request_of(tiny, 4, 1, active=np.zeros(4, dtype=bool))
    parts = list(RawSampler(tiny).stream([asked], chunk=64, hook=lambda *news: told.append(news)))
    assert (parts[0] == SILENCE).all()
    assert told[-1] == ("raw", 0, 0)


def test_a_low_temperature_and_the_last_uniform_draw_the_likeliest(tiny, request_of):
    ones = np.full(160, np.nextafter(np.float32(1.0), np.float32(0.0)))
    cold, zeros = 1e-7, np.zeros(160, dtype=np.float32)
    first = classes(tiny, [request_of(tiny, 10, 1, uniforms=ones, temperature=cold)])
    assert np.array_equal(first, classes(tiny, [request_of(tiny, 10, 1, uniforms=zeros, temperature=cold)]))
    hot = classes(tiny, [request_of(tiny, 10, 1, uniforms=ones, temperature=100.0)])
    assert (hot >= 190).all()
    assert (hot < 200).all()


def test_progress_counts_what_sounds_and_the_hook_stops_it(tiny, request_of):
    told = []

    def hook(stage, done, total):
        told.append((stage, done, total))
        if len(told) == 3:
            raise Cancelled("stopped")

    asked = [request_of(tiny, 100, 1, active=np.arange(100) % 2 == 0)]
    made = []
    with pytest.raises(Cancelled):
        made.extend(RawSampler(tiny).stream(asked, chunk=256, hook=hook))
    assert told == [("raw", 0, 800), ("raw", 128, 800), ("raw", 256, 800)]
    told.clear()
    list(RawSampler(tiny).stream(asked, chunk=256, hook=lambda *news: told.append(news)))
    assert told[-1] == ("raw", 800, 800)


def test_another_process_compiles_nothing_and_writes_the_same(tiny, request_of, root):
    code = (
        "import hashlib, numpy as np; from tests.models.wavenet.conftest import TINY, ask, loud;"
        "from musicgen_ui.models.wavenet import fast, kernel; model = loud(TINY);"
        "out = np.concatenate(list(fast.RawSampler(model).stream([ask(model, 10, 1)], chunk=99)), axis=1);"
        "stats = kernel.sample.stats; print(len(stats.cache_hits), len(stats.cache_misses));"
        "print(hashlib.sha256(out.tobytes()).hexdigest())"
    )
    here = hashlib.sha256(classes(tiny, [request_of(tiny, 10, 1)]).tobytes()).hexdigest()
    other = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert other.stdout.split() == ["1", "0", here]


def test_the_models_place_decides_on_the_sampler(tiny):
    assert isinstance(sampler_of(tiny), RawSampler)


def test_wrong_sizes_are_refused(tiny, request_of):
    good = request_of(tiny, 4, 1)
    sampler = RawSampler(tiny)
    for name in ("excitation", "conditioning", "uniforms"):
        bad = request_of(tiny, 4, 1, **{name: getattr(good, name)[:-1]})
        with pytest.raises(ValueError, match=name):
            next(sampler.stream([bad], chunk=10))
    for bad in ([], [request_of(tiny, 4, 1, temperature=0.0)]):
        with pytest.raises(ValueError, match="must be"):
            next(sampler.stream(bad, chunk=10))
    with pytest.raises(ValueError, match="chunk"):
        next(sampler.stream([good], chunk=0))
    with pytest.raises(ValueError, match="taps"):
        RawSampler(RawWaveNet(RawWaveNetConfig(kernel=3)))


def test_the_kernel_names_the_vectors_that_it_was_compiled_with():
    """numba looks at the kernel's own file only when it asks whether its cache is fresh."""
    source = Path(vectors.__file__).read_bytes().replace(b"\r\n", b"\n")
    assert hashlib.sha256(source).hexdigest()[:16] == kernel.VECTORS
