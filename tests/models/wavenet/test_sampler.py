"""The samplers in PyTorch: against the model's own full pass, against each other, streams apart and in pieces."""

import numpy as np
import pytest
import torch

from musicgen_ui.errors import Cancelled
from musicgen_ui.models.wavenet.mu_law import SILENCE
from musicgen_ui.models.wavenet.sampler import GraphSampler, draw, sample_cached, sample_naive

GAP = np.array([False, True, True, True, False, False, True, True, True, True])


def test_draw_is_the_inverse_of_the_cumulative_distribution():
    logits = torch.log(torch.tensor([[0.1, 0.4, 0.2, 0.3]])).repeat(6, 1)
    uniforms = torch.tensor([0.0, 0.09, 0.11, 0.49, 0.51, 0.99999994])
    assert draw(logits, torch.ones(6), uniforms).tolist() == [0, 0, 1, 1, 2, 3]


def test_a_low_temperature_draws_the_likeliest():
    logits = torch.tensor([[0.0, 2.0, 1.0]]).repeat(5, 1)
    assert set(draw(logits, torch.full((5,), 0.01), torch.linspace(0.0, 0.99, 5)).tolist()) == {1}


def test_naive_sampling_draws_from_the_full_pass(tiny, request_of):
    asked = request_of(tiny, 6, seed=1)
    drawn = torch.from_numpy(sample_naive(tiny, asked).astype(np.int64))
    # The model's forward takes what goes into the conditioning, so the table stands in for its frame network.
    generator = torch.Generator().manual_seed(1)
    frames = torch.randn(1, 6, tiny.config.frame_features, generator=generator)
    with torch.no_grad():
        logits = tiny(
            drawn[None],
            torch.randn(1, len(drawn), tiny.config.excitation, generator=generator),
            frames,
            torch.zeros(1, dtype=torch.int64),
            torch.zeros(1, tiny.config.conditions),
        )
    again = draw(logits[0], torch.ones(len(drawn)), torch.from_numpy(asked.uniforms))
    assert torch.equal(again, drawn)
    assert len(set(drawn.tolist())) > 20


@pytest.mark.parametrize("active", [np.ones(10, dtype=bool), GAP], ids=["all", "gap"])
def test_cached_equals_naive(tiny, request_of, active):
    asked = [request_of(tiny, 10, seed, active=active, temperature=0.9) for seed in (1, 2)]
    together = sample_cached(tiny, asked)
    for stream, one in zip(together, asked, strict=True):
        assert np.array_equal(stream, sample_naive(tiny, one))


@pytest.mark.parametrize("known", [20, 50, 100, 159])
def test_naive_continues_what_is_known(tiny, request_of, known):
    asked = request_of(tiny, 10, 1, active=GAP)
    whole = sample_naive(tiny, asked)
    assert np.array_equal(sample_naive(tiny, asked, whole[:known]), whole)
    assert not np.array_equal(sample_naive(tiny, asked, (whole[:known] + 50) % 200)[known:], whole[known:])


def test_the_recordable_step_equals_cached_on_the_processor(tiny, request_of):
    asked = [request_of(tiny, 10, 1, active=GAP, temperature=np.linspace(0.5, 1.5, 10)), request_of(tiny, 10, 2)]
    stream = np.concatenate(list(GraphSampler(tiny).stream(asked, chunk=37)), axis=1)
    assert np.array_equal(stream, sample_cached(tiny, asked))


def test_frames_that_are_not_active_are_silent_and_forgotten(tiny, request_of):
    asked = request_of(tiny, 10, 1, active=GAP)
    drawn = sample_cached(tiny, [asked])[0].reshape(10, -1)
    assert (drawn[~GAP] == SILENCE).all()
    assert (drawn[GAP] != SILENCE).any()
    tail = request_of(
        tiny, 4, 1, excitation=asked.excitation[96:], conditioning=asked.conditioning[6:], uniforms=asked.uniforms[96:]
    )
    assert np.array_equal(drawn[6:].ravel(), sample_cached(tiny, [tail])[0])


def test_a_shorter_request_ends_in_silence(tiny, request_of):
    asked = [request_of(tiny, 3, 1), request_of(tiny, 5, 2)]
    drawn = np.concatenate(list(GraphSampler(tiny).stream(asked, chunk=1000)), axis=1)
    assert np.array_equal(drawn[0, :48], sample_cached(tiny, asked[:1])[0])
    assert (drawn[0, 48:] == SILENCE).all()


def test_the_hook_tells_progress_and_stops(tiny, request_of):
    told = []

    def hook(stage, done, total):
        told.append((stage, done, total))
        if done >= 48:
            raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        list(GraphSampler(tiny).stream([request_of(tiny, 10, 1, active=GAP)], chunk=32, hook=hook))
    assert told == [("raw", 0, 112), ("raw", 16, 112), ("raw", 48, 112)]
