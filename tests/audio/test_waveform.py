"""WAV files byte by byte, and files that nobody should have to trust."""

import hashlib
import io
import struct

import numpy as np
import pytest
import soundfile

from musicgen_ui.audio.waveform import (
    Clip,
    ReadLimits,
    read_audio,
    resample,
    wav_bytes,
    wav_comment,
    write_wav,
)
from musicgen_ui.errors import RequestError

RATE = 44_100


def tone(frequency: float = 440.0, seconds: float = 0.5, rate: int = RATE) -> np.ndarray:
    return (0.5 * np.sin(2 * np.pi * frequency * np.arange(int(seconds * rate)) / rate)).astype(np.float32)


def encoded(kind: str, subtype: str, rate: int = RATE, channels: int = 1, seconds: float = 0.5) -> bytes:
    buffer = io.BytesIO()
    samples = np.stack([tone(440, seconds, rate)] * channels, axis=1)
    soundfile.write(buffer, samples, rate, format=kind, subtype=subtype)
    return buffer.getvalue()


class TestClip:
    def test_length_in_seconds(self):
        assert Clip(np.zeros((2, RATE), np.float32)).seconds == 1.0

    @pytest.mark.parametrize("bad", [np.zeros((1, 9), np.float32), np.zeros(9, np.float32), np.zeros((2, 9))])
    def test_only_stereo_float32(self, bad):
        with pytest.raises(ValueError, match=r"\(2, n\) float32"):
            Clip(bad)


class TestWrite:
    @pytest.mark.parametrize(("bits", "subtype"), [(16, "PCM_16"), (24, "PCM_24")])
    def test_every_step_comes_back(self, bits, subtype):
        steps = np.linspace(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1, 5001).round()
        samples = np.stack([steps, steps[::-1]]) / 2 ** (bits - 1)
        buffer = io.BytesIO(wav_bytes(samples, RATE, bits))
        info = soundfile.info(buffer)
        assert (info.samplerate, info.channels, info.frames, info.subtype) == (RATE, 2, 5001, subtype)
        buffer.seek(0)
        assert np.array_equal(soundfile.read(buffer, dtype="float64")[0].T, samples)

    def test_rounds_to_the_nearest_step_and_clips(self):
        samples = np.array([[0.4, 0.6, -0.6, 40_000, -40_000]]) / 32768
        samples[0, 3:] = [2.0, -2.0]
        data = wav_bytes(samples, RATE)
        assert np.frombuffer(data[44:54], "<i2").tolist() == [0, 1, -1, 32767, -32768]

    def test_bytes_are_golden(self, rng):
        """A change of this hash breaks every recipe's promise of equal bytes: it needs a new version."""
        samples = (rng.integers(-32768, 32768, (2, 4410)) / 32768).astype(np.float32)
        digest = hashlib.sha256(wav_bytes(samples, RATE, comment='{"seed": 7}')).hexdigest()
        assert digest == "20e57dd47945c0784e7f9b38b49847ab5cd5621aeb6b5758b08404777a95f2a9"

    def test_path_and_file_object_get_the_same(self, tmp_path):
        samples, buffer = tone()[None], io.BytesIO()
        write_wav(buffer, samples)
        write_wav(tmp_path / "a.wav", samples)
        assert (tmp_path / "a.wav").read_bytes() == buffer.getvalue() == wav_bytes(samples, RATE)

    @pytest.mark.parametrize("text", ["", "x", '{"recipe": "é ♯"}', "a" * 3001])
    def test_comment_comes_back_and_harms_nothing(self, text):
        data = wav_bytes(tone()[None, :1001], RATE, 24, text)
        assert wav_comment(data) == text
        assert soundfile.info(io.BytesIO(data)).frames == 1001
        assert int.from_bytes(data[4:8], "little") == len(data) - 8

    def test_no_comment(self):
        assert wav_comment(wav_bytes(tone()[None], RATE)) is None
        assert wav_comment(b"fLaC" + bytes(100)) is None
        assert wav_comment(wav_bytes(tone()[None], RATE, comment="long enough")[:-9]) is None

    @pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
    def test_refuses_what_is_no_number(self, value):
        samples = tone()[None].copy()
        samples[0, 7] = value
        with pytest.raises(ValueError, match="finite"):
            wav_bytes(samples, RATE)

    def test_refuses_other_depths(self):
        with pytest.raises(ValueError, match="16 or 24"):
            wav_bytes(tone()[None], RATE, 8)


class TestRead:
    @pytest.mark.parametrize(
        ("kind", "subtype", "close"),
        [
            ("WAV", "PCM_16", 1e-4),
            ("WAV", "FLOAT", 0),
            ("WAVEX", "PCM_24", 1e-6),
            ("FLAC", "PCM_16", 1e-4),
            ("AIFF", "PCM_16", 1e-4),
            ("OGG", "VORBIS", 0.05),
            ("MP3", "MPEG_LAYER_III", None),
        ],
    )
    def test_formats(self, kind, subtype, close):
        samples, rate = read_audio(encoded(kind, subtype, channels=2))
        assert rate == RATE
        assert samples.dtype == np.float32
        assert samples.shape[0] == 2
        if close is not None:
            assert samples.shape[1] == len(tone())
            assert np.abs(samples - tone()).max() <= close + 1e-7

    def test_the_name_does_not_matter(self, tmp_path):
        path = tmp_path / "song.raw"
        path.write_bytes(encoded("FLAC", "PCM_16"))
        assert read_audio(path)[0].shape == (1, len(tone()))

    @pytest.mark.parametrize(
        ("kind", "subtype"), [("AU", "PCM_16"), ("CAF", "PCM_16"), ("W64", "PCM_16"), ("SVX", "PCM_16")]
    )
    def test_other_formats_never_reach_the_decoder(self, kind, subtype):
        data = encoded(kind, subtype)
        with pytest.raises(RequestError, match="is not a WAV, FLAC, MP3, OGG or AIFF file"):
            read_audio(data)

    @pytest.mark.parametrize("subtype", ["IMA_ADPCM", "MS_ADPCM", "GSM610", "G721_32"])
    def test_rare_codings_never_reach_the_decoder(self, subtype):
        with pytest.raises(RequestError, match="unsupported coding"):
            read_audio(encoded("WAV", subtype, rate=8000))

    @pytest.mark.parametrize(
        "data", [b"RIFF", b"hello world, I am a text", b"\x89PNG\r\n\x1a\n" + bytes(99), bytes(4000)]
    )
    def test_no_audio_at_all(self, data):
        with pytest.raises(RequestError, match=r"^audio: is not a"):
            read_audio(data)

    def test_empty_file(self):
        with pytest.raises(RequestError, match=r"^audio: is empty$"):
            read_audio(b"")

    def test_missing_file_is_named(self, tmp_path):
        with pytest.raises(RequestError, match=r"^nothing.wav: there is no such file"):
            read_audio(tmp_path / "nothing.wav")
        with pytest.raises(RequestError, match="there is no such file"):
            read_audio(tmp_path)

    @pytest.mark.parametrize(
        "kind", [("WAV", "PCM_16"), ("FLAC", "PCM_16"), ("OGG", "VORBIS"), ("MP3", "MPEG_LAYER_III")]
    )
    def test_damage_is_refused_or_decoded_but_never_worse(self, kind, rng):
        whole = encoded(*kind)
        for size in (12, 30, 44, 60, 200, len(whole) // 2):
            self.read_or_refuse(whole[:size])
        for _ in range(60):
            data = bytearray(whole)
            for place in rng.integers(0, min(len(data), 400), 4):
                data[place] = rng.integers(256)
            self.read_or_refuse(bytes(data))

    @staticmethod
    def read_or_refuse(data: bytes) -> None:
        try:
            samples, rate = read_audio(data)
        except RequestError:
            return
        assert np.isfinite(samples).all()
        assert 0 < samples.shape[1] <= 60 * rate

    def test_too_long(self):
        data = encoded("FLAC", "PCM_16", rate=8000, seconds=3.0)
        with pytest.raises(RequestError, match="longer than 2 seconds"):
            read_audio(data, ReadLimits(seconds=2))
        samples, _ = read_audio(data, ReadLimits(seconds=2), cut=True)
        assert samples.shape == (1, 16_000)
        assert np.array_equal(samples, read_audio(data)[0][:, :16_000])

    def test_bomb_is_not_unpacked(self):
        """Ten minutes of silence in a hundred kilobytes."""
        buffer = io.BytesIO()
        with soundfile.SoundFile(buffer, "w", 44_100, 1, format="FLAC", subtype="PCM_16") as file:
            for _ in range(10):
                file.write(np.zeros(44_100 * 60, np.int16))
        data = buffer.getvalue()
        assert len(data) < 200_000
        with pytest.raises(RequestError, match="longer than 60 seconds"):
            read_audio(data)
        assert read_audio(data, cut=True)[0].nbytes == 60 * RATE * 4

    def test_other_limits(self, tmp_path):
        with pytest.raises(RequestError, match="has 9 channels; at most 8"):
            read_audio(encoded("WAV", "PCM_16", channels=9))
        with pytest.raises(RequestError, match="sample rate of 4000 Hz"):
            read_audio(encoded("WAV", "PCM_16", rate=4000))
        with pytest.raises(RequestError, match="sample rate of 200000 Hz"):
            read_audio(encoded("WAV", "PCM_16", rate=200_000))
        with pytest.raises(RequestError, match=r"larger than 0\.001 MB"):
            read_audio(encoded("WAV", "PCM_16"), ReadLimits(file_bytes=1000))
        (tmp_path / "big.wav").write_bytes(encoded("WAV", "PCM_16"))
        with pytest.raises(RequestError, match=r"larger than 0\.001 MB"):
            read_audio(tmp_path / "big.wav", ReadLimits(file_bytes=1000))
        with pytest.raises(RequestError, match="too large: 2 channels"):
            read_audio(encoded("WAV", "PCM_16", channels=2), ReadLimits(pcm_bytes=1000))

    def test_empty_and_not_finite(self):
        with pytest.raises(RequestError, match="has no samples"):
            read_audio(wav_bytes(np.zeros((1, 0)), RATE))
        data = bytearray(encoded("WAV", "FLOAT"))
        data[-400:-396] = struct.pack("<f", np.nan)
        with pytest.raises(RequestError, match="not numbers"):
            read_audio(bytes(data))

    def test_silence_is_silence(self):
        samples, _ = read_audio(wav_bytes(np.zeros((2, 500)), RATE))
        assert samples.shape == (2, 500)
        assert not samples.any()


class TestResample:
    @pytest.mark.parametrize(
        ("source", "target"), [(44_100, 16_000), (48_000, 44_100), (1.3, 1.0), (1, 4), (44_100, 44_100)]
    )
    def test_tone_stays_a_tone_of_exact_length(self, source, target):
        rate = source if source > 4 else 44_100 * source
        samples = tone(440, 0.5, int(rate))
        moved = resample(samples, source, target)
        assert moved.dtype == np.float32
        assert len(moved) == round(len(samples) * target / source)
        time = np.arange(len(moved)) / (int(rate) * target / source)
        inner = slice(300, -300)
        assert np.abs(moved - 0.5 * np.sin(2 * np.pi * 440 * time))[inner].max() < 1e-3

    def test_what_does_not_fit_is_filtered_out(self):
        moved = resample(tone(15_000), 44_100, 16_000)
        assert np.abs(moved[500:-500]).max() < 1e-3

    def test_channels_are_independent_and_the_input_is_kept(self, rng):
        samples = rng.standard_normal((2, 5000)).astype(np.float32)
        before = samples.copy()
        moved = resample(samples, 44_100, 48_000)
        assert np.array_equal(moved[1], resample(samples[1], 44_100, 48_000))
        assert np.array_equal(samples, before)

    def test_empty(self):
        assert resample(np.zeros((2, 0), np.float32), 1, 2).shape == (2, 0)
        assert resample(np.ones((2, 1), np.float32), 192_000, 44_100).shape == (2, 0)

    def test_rates_must_be_positive(self):
        with pytest.raises(ValueError, match="positive"):
            resample(tone(), 0, 1)
