from __future__ import annotations

import librosa
import numpy as np
import pytest
import torch
import torchaudio

from musicgen_ui.audio.soundfont import PlayedNote
from musicgen_ui.training import synth_metrics as sm

RATE = 44_100
NOTES = tuple(PlayedNote(start, start + 16_000, pitch, 90) for start, pitch in ((0, 57), (22_400, 64), (44_800, 61)))


def tones(notes=NOTES, cents=0.0, length=70_000):
    """Decaying tones of eight harmonics."""
    sound = np.zeros(length)
    for note in notes:
        time = np.arange(min(note.end, length) - note.start) / RATE
        hz = 440.0 * 2.0 ** ((note.pitch - 69 + cents / 100) / 12)
        wave = sum(np.sin(2 * np.pi * hz * h * time) / h for h in range(1, 9))
        sound[note.start : note.start + time.size] += (
            wave * np.exp(-3.0 * time) * np.clip(200 * np.minimum(time, 0.2 * (time[-1] - time)), 0, 1)
        )
    return (0.1 * sound).astype(np.float32)


@pytest.fixture(scope="module")
def reference():
    return sm.Reference.of(tones(), NOTES, drums=False)


def test_identical_stems_are_at_no_distance(reference):
    found = reference.compare(tones())
    for metric in sm.DISTANCES:
        assert found[metric] == pytest.approx(0.0, abs=1e-6)
    assert found["chroma cosine"] == pytest.approx(1.0)
    assert found["onset F1"] == 1.0 == reference.onset_f1
    assert found["gain (dB)"] == pytest.approx(0.0, abs=1e-6)


def test_one_gain_is_removed_and_reported(reference, rng):
    noisy = tones() + rng.normal(0, 0.003, 70_000).astype(np.float32)
    plain, quiet = reference.compare(noisy), reference.compare(0.25 * noisy)
    assert quiet.pop("gain (dB)") == pytest.approx(plain.pop("gain (dB)") + 20 * np.log10(4), abs=1e-3)
    assert quiet == pytest.approx(plain, abs=1e-4)


def test_worse_sound_is_farther(reference, rng):
    detuned, shifted = reference.compare(tones(cents=8)), reference.compare(tones(cents=100))
    noise = reference.compare(rng.normal(0, 0.1, 70_000).astype(np.float32))
    for metric in ("spectral convergence", "multi-resolution STFT", "multi-scale mel"):
        assert 0 < detuned[metric] < shifted[metric] < noise[metric]
    assert detuned["chroma cosine"] > 0.98 > shifted["chroma cosine"]


def test_pitch_is_judged_by_the_score_too(reference):
    for cents, close, near in ((0, 1.0, 1.0), (30, 0.0, 1.0), (100, 0.0, 0.0)):
        found = reference.compare(tones(cents=cents))
        assert found["written f0 (cents)"] == pytest.approx(cents, abs=2)
        assert found["within 20 cents"] == pytest.approx(close, abs=0.1)
        assert found["within 50 cents"] == pytest.approx(near, abs=0.1)
    octave = reference.compare(tones(cents=1200))
    assert octave["written f0 (cents)"] < 2
    assert octave["within 50 cents"] < 0.1, "an octave is a wrong note"
    assert reference.own()["within 20 cents"] > 0.9
    assert sm.written_f0_error(np.zeros(70_000, dtype=np.float32), NOTES) == {}


def test_silence_is_judged_and_not_divided_by(reference):
    found = reference.compare(np.zeros(70_000, dtype=np.float32))
    assert found["spectral convergence"] == pytest.approx(1.0)
    assert found["chroma cosine"] == 0.0 == found["onset F1"]
    assert all(value is None or np.isfinite(value) for value in found.values())


@pytest.mark.parametrize("bad", [np.zeros(10, dtype=np.float32), np.full(70_000, np.nan, dtype=np.float32)])
def test_a_stem_that_cannot_be_compared_is_an_error(reference, bad):
    with pytest.raises(ValueError, match="finite samples"):
        reference.compare(bad)


def torch_magnitude(samples, n_fft):
    transform = torchaudio.transforms.Spectrogram(n_fft, hop_length=n_fft // 4, power=1.0, pad_mode="constant")
    return transform(torch.from_numpy(samples)).numpy()


def test_distances_agree_with_torchaudio(rng):
    real = tones()
    made = real + rng.normal(0, 0.01, real.size).astype(np.float32)
    found = sm.distances(sm.Spectra.of(real), sm.Spectra.of(made))
    stft, mel = [], []
    for n_fft, bands in sm.MEL_BANDS.items():
        a, b = torch_magnitude(real, n_fft), torch_magnitude(made, n_fft)
        filters = torchaudio.functional.melscale_fbanks(
            n_fft // 2 + 1, 0.0, RATE / 2, bands, RATE, norm="slaney", mel_scale="slaney"
        ).numpy()
        convergence = np.sqrt(np.square(a - b).sum() / np.square(a).sum())
        logs = [np.log(np.clip(x, 1e-4 * a.max(), None)) for x in (a, b)]
        stft.append(convergence + np.abs(logs[0] - logs[1]).mean())
        a, b = filters.T @ a, filters.T @ b
        mels = [np.log10(np.clip(x, 1e-4 * a.max(), None)) for x in (a, b)]
        mel.append(np.abs(mels[0] - mels[1]).mean())
    assert found["spectral convergence"] == pytest.approx(convergence, rel=1e-3)  # 4096 came last
    assert found["multi-resolution STFT"] == pytest.approx(np.mean(stft), rel=1e-3)
    assert found["multi-scale mel"] == pytest.approx(np.mean(mel), rel=1e-3)


def test_chroma_agrees_with_librosa():
    real, made = tones(), tones(cents=60)
    chroma = [
        librosa.feature.chroma_stft(
            y=x, sr=RATE, n_fft=4096, hop_length=1024, tuning=0.0, norm=None, pad_mode="constant"
        )
        for x in (real, made)
    ]
    energy = np.square(np.abs(librosa.stft(real, n_fft=4096, hop_length=1024, pad_mode="constant"))).sum(axis=0)
    cosine = (chroma[0] * chroma[1]).sum(axis=0) / np.maximum(
        np.linalg.norm(chroma[0], axis=0) * np.linalg.norm(chroma[1], axis=0), 1e-20
    )
    found = sm.chroma_cosine(sm.Spectra.of(real), sm.Spectra.of(made))
    assert found == pytest.approx((cosine * energy).sum() / energy.sum(), abs=1e-4)


def test_chords_are_one_onset():
    notes = [PlayedNote(s, s + 5000, p, 80) for s, p in ((0, 60), (600, 64), (1200, 67), (44_100, 60), (90_000, 60))]
    assert sm.score_onsets(notes, 88_200) == pytest.approx([0.0, 1.0])


def test_onsets_are_heard_where_notes_start_even_on_the_first_sample():
    heard = sm.heard_onsets(tones())
    assert heard == pytest.approx(sm.score_onsets(NOTES, 70_000), abs=0.03)
    assert not sm.heard_onsets(np.zeros(70_000, dtype=np.float32)).size


def test_onset_f1_counts_what_is_missed_and_what_is_invented():
    expected = np.array([0.0, 1.0, 2.0])
    assert sm.onset_f1(expected, expected + 0.04) == 1.0
    assert sm.onset_f1(expected, expected + 0.06) == 0.0
    assert sm.onset_f1(expected, np.array([0.0])) == pytest.approx(0.5)
    assert sm.onset_f1(expected, np.zeros(0)) == 0.0
    assert sm.onset_f1(np.zeros(0), np.zeros(0)) == 1.0


@pytest.mark.parametrize("cents", [-30.0, 12.0, 45.0])
def test_f0_error_is_the_detuning(cents):
    median, gross = sm.f0_error(tones(), tones(cents=cents), NOTES)
    assert median == pytest.approx(abs(cents), abs=2.0)
    assert gross < 0.1


def test_octaves_are_folded_but_counted():
    median, gross = sm.f0_error(tones(), tones(cents=1200), NOTES)
    assert median < 3.0
    assert gross > 0.9


def test_noise_has_no_f0(rng):
    noise = rng.normal(0, 0.1, 70_000).astype(np.float32)
    found = sm.f0_error(np.zeros(70_000, dtype=np.float32), noise, NOTES)
    assert found is None


def test_only_single_lines_have_f0(reference):
    assert sm.is_monophonic(NOTES)
    chord = (PlayedNote(0, 16_000, 57, 90), PlayedNote(0, 16_000, 61, 90))
    assert not sm.is_monophonic(chord)
    assert not sm.is_monophonic((PlayedNote(0, 16_000, 57, 90), PlayedNote(8000, 16_000, 61, 90)))
    sound = tones(chord)
    assert sm.Reference.of(sound, chord, drums=False).compare(sound)["f0 (cents)"] is None


def test_kits_have_neither_chroma_nor_f0():
    found = sm.Reference.of(tones(), NOTES, drums=True).compare(tones())
    assert found["chroma cosine"] is None
    assert found["f0 (cents)"] is None
    assert found["onset F1"] == 1.0
