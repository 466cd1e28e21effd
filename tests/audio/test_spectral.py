from __future__ import annotations

import librosa
import numpy as np
import pytest

from musicgen_ui.audio.spectral import (
    centroid,
    hz_to_mel,
    log_mel,
    magnitudes,
    mel_filters,
    mel_to_hz,
    mfcc,
    mono,
    onset_flux,
)

RATE = 22_050


def tone(hertz: float, seconds: float = 2.0, level: float = 0.3) -> np.ndarray:
    return (level * np.sin(2 * np.pi * hertz * np.arange(int(seconds * RATE)) / RATE)).astype(np.float32)


@pytest.fixture
def music() -> np.ndarray:
    rng = np.random.default_rng(440)
    notes = sum(tone(f) for f in (220.0, 277.2, 329.6))
    return (notes + 0.05 * rng.standard_normal(notes.size)).astype(np.float32)


def test_log_mel_has_one_frame_a_hop_and_stays_within_its_range(music):
    mel = log_mel(music, RATE, hop=512, n_mels=96)
    assert mel.shape == (96, 1 + music.size // 512)
    assert mel.dtype == np.float32
    assert mel.max() == pytest.approx(0.0, abs=1e-4)
    assert mel.min() >= -80.0


@pytest.mark.parametrize("hertz", [110.0, 440.0, 1000.0, 4000.0])
def test_a_tone_peaks_in_its_own_mel_band(hertz):
    mel = log_mel(tone(hertz), RATE)
    edges = mel_to_hz(np.linspace(0, float(hz_to_mel(RATE / 2)), 130))
    band = int(mel.mean(axis=1).argmax())
    assert edges[band] <= hertz <= edges[band + 2]


def test_log_mel_agrees_with_librosa(music):
    power = librosa.feature.melspectrogram(
        y=music, sr=RATE, n_fft=2048, hop_length=512, n_mels=128, pad_mode="constant"
    )
    theirs = librosa.power_to_db(power, ref=np.max, top_db=80.0)
    np.testing.assert_allclose(log_mel(music, RATE), theirs, atol=0.02)


def test_mel_filters_agree_with_librosa():
    theirs = librosa.filters.mel(sr=44_100, n_fft=2048, n_mels=128)
    np.testing.assert_allclose(mel_filters(44_100, 2048, 128), theirs, atol=1e-7)


def test_mel_scale_inverts():
    hz = np.array([0.0, 60.0, 999.0, 1000.0, 8000.0])
    np.testing.assert_allclose(mel_to_hz(hz_to_mel(hz)), hz, atol=1e-6)


def test_mfcc_agrees_with_librosa(music):
    theirs = librosa.feature.mfcc(S=log_mel(music, RATE), n_mfcc=13)
    np.testing.assert_allclose(mfcc(music, RATE, n_mfcc=13), theirs, atol=1e-3)


def test_magnitudes_agree_with_librosa_over_several_blocks():
    x = np.random.default_rng(1).standard_normal(150_000).astype(np.float32)
    theirs = np.abs(librosa.stft(x, n_fft=1024, hop_length=128, pad_mode="constant"))
    assert theirs.shape[1] > 2 * 512  # more than two blocks of frames
    np.testing.assert_allclose(magnitudes(x, n_fft=1024, hop=128), theirs, atol=1e-3)


def test_silence_is_the_floor_and_has_no_onsets():
    silence = np.zeros(RATE, dtype=np.float32)
    assert (log_mel(silence, RATE) == -80.0).all()
    assert not onset_flux(silence, RATE).any()


def test_equal_channels_mix_to_one_of_them_and_opposite_ones_do_not_vanish(music):
    np.testing.assert_array_equal(mono(np.stack([music, music])), music)
    np.testing.assert_array_equal(mono(np.stack([music, -music])), music)


def test_features_do_not_write_to_their_input(music):
    before = music.copy()
    log_mel(music, RATE), onset_flux(music, RATE), mono(music)
    np.testing.assert_array_equal(music, before)


@pytest.mark.parametrize("hertz", [500.0, 2000.0])
def test_centroid_of_a_tone_is_its_frequency(hertz):
    middle = centroid(magnitudes(tone(hertz), n_fft=2048, hop=512), RATE)[5:-5]
    np.testing.assert_allclose(middle, hertz, rtol=0.02)


def test_centroid_of_silence_is_zero():
    assert not centroid(np.zeros((513, 4)), RATE).any()


def test_onset_flux_peaks_where_notes_begin_also_on_the_first_sample():
    starts = (0.0, 0.5, 1.25)
    clip = np.zeros(2 * RATE, dtype=np.float32)
    for start in starts:
        note = tone(660.0, 0.3) * np.exp(-np.arange(int(0.3 * RATE)) / (0.08 * RATE))
        clip[int(start * RATE) :][: note.size] += note
    flux = onset_flux(clip, RATE, hop=128).sum(axis=0)
    found = librosa.util.peak_pick(
        flux, pre_max=10, post_max=10, pre_avg=20, post_avg=20, delta=0.2 * flux.max(), wait=10
    )
    # The window rises before the attack reaches its middle: a peak may come 1/4 window early or late.
    np.testing.assert_allclose(found * 128 / RATE, starts, atol=0.02)


def test_onset_flux_ignores_the_level_of_the_clip(music):
    np.testing.assert_allclose(onset_flux(0.1 * music, RATE), onset_flux(music, RATE), rtol=1e-3, atol=1e-3)


def test_a_low_and_a_high_note_fall_into_different_bands():
    low, high = (onset_flux(np.concatenate([np.zeros(RATE, np.float32), tone(f)]), RATE) for f in (80.0, 3000.0))
    assert low.max(axis=1).argmax() < high.max(axis=1).argmax()
