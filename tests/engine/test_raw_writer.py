"""Writing voices, with tiny random weights: on time, and prepared a stretch at a time; the player without a score."""

import numpy as np
import pytest
import torch

from musicgen_ui.audio.soundfont import PlayedNote
from musicgen_ui.engine.raw_line_player import RawLinePlayer
from musicgen_ui.engine.raw_player import CHECKPOINT
from musicgen_ui.engine.raw_writer import STRETCH, RawWriter, Voice
from musicgen_ui.models.checkpoint import save
from musicgen_ui.models.vae_gan.condition import TimbreLabels
from musicgen_ui.models.wavenet.excitation import TONE_SIZE, excitation
from musicgen_ui.models.wavenet.frames import HOP, score_frames
from musicgen_ui.models.wavenet.mu_law import SILENCE
from musicgen_ui.models.wavenet.raw import RawWaveNet, RawWaveNetConfig

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


def make() -> RawWaveNet:
    with torch.random.fork_rng():
        torch.manual_seed(3)
        model = RawWaveNet(CONFIG).eval()
        model.tone_rows.copy_(0.2 * torch.randn(CONFIG.pitches, TONE_SIZE))
        return model


class Clicks:
    """A sampler that writes one full-scale sample where a note is struck."""

    def stream(self, requests, *, chunk, hook):
        classes = np.full((len(requests), requests[0].frames * HOP), SILENCE, dtype=np.int16)
        for row, request in zip(classes, requests, strict=True):
            pulse = request.excitation[:][:, CONFIG.excitation - 1]
            row[np.flatnonzero(pulse == 1.0)] = 255
        for begin in range(0, classes.shape[1], chunk):
            yield classes[:, begin : begin + chunk]


def test_an_onset_stays_on_time():
    """Through the resampler, with its latency taken back: within a tenth of a millisecond."""
    writer = RawWriter(make())
    writer._sampler = Clicks()
    beats = [0.5, 1.25, 2.0, 3.75]
    onsets = [round(beat * 22_050) for beat in beats]
    notes = tuple(PlayedNote(round(start / 2.75625), round(start / 2.75625) + 3000, 60, 90) for start in onsets)
    voice = Voice(0, 0, notes, 0.0, np.zeros(500 * HOP, dtype=np.float32))
    sound = np.concatenate(list(writer.write([voice], 1, 500, hook=lambda *_: None)), axis=1)[0]
    assert sound.size == pytest.approx(500 * HOP * 2.75625, abs=1)
    for start in onsets:
        near = np.abs(sound[start - 2000 : start + 2000])
        assert abs(int(near.argmax()) - 2000) / 44.1 < 0.1


def test_long_voices_are_prepared_in_stretches():
    """What the sampler reads a little at a time is what it would read in one piece."""
    model = make()
    writer, frames = RawWriter(model), 2 * STRETCH + 77
    rng = np.random.default_rng(0)
    starts = np.cumsum(rng.integers(700, 6000, 10))
    notes = tuple(PlayedNote(int(s), int(s) + 1500, int(rng.integers(50, 80)), 90) for s in starts)
    voice = Voice(0, 1, notes, 0.3, np.zeros(frames * HOP, dtype=np.float32))
    request = writer._request(voice, frames, 1.0)
    with torch.inference_mode():
        table = torch.from_numpy(score_frames(notes, frames))[None]
        whole = model.conditioning(table, torch.tensor([1]), torch.tensor([[0.3]]))[0].numpy()
        for begin, end in (
            (0, 16),
            (STRETCH - 5, STRETCH + 9),
            (0, frames),
            (frames - 1, frames),
            (frames, frames + 4),
        ):
            np.testing.assert_allclose(request.conditioning[begin:end], whole[begin:end], atol=1e-5)
        tone = torch.from_numpy(excitation(notes, frames * HOP, model.tones(1)))[None]
        features = model.features(tone, table, torch.tensor([1]), torch.tensor([[0.3]]))[0].numpy()
    part = slice(STRETCH * HOP - 100, 2 * STRETCH * HOP + 100)
    np.testing.assert_allclose(request.excitation[part], features[part], atol=1e-4)


def test_the_player_plays_notes_without_a_score(tmp_path):
    save(tmp_path / CHECKPOINT, make(), CONFIG, {})
    player = RawLinePlayer.load(tmp_path)
    assert player.programs == {0, 33, 40}
    assert player.kits == set()
    asked = {"labels": TimbreLabels(), "z": None, "stem_level": True, "known": True}

    def sound(seed=1, **changes):
        notes = [PlayedNote(0, 8000, 60, 90), PlayedNote(9000, 20_000, 62, 90)]
        return player.play(notes, 40, False, 30_011, seed=seed, **(asked | changes))

    assert sound().shape == (30_011,)
    assert sound().dtype == np.float32
    assert np.array_equal(sound(), sound())
    assert not np.array_equal(sound(), sound(seed=2))
    assert not np.array_equal(sound(), sound(labels=TimbreLabels(brightness=1.0)))
    assert not player.play([], 40, False, 500, seed=0, **asked).any()
