"""Files that strangers send: what is refused, in which words, and that nothing they do harms this process."""

import io
import os
import struct
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile

from musicgen_ui.audio import decode as decoding
from musicgen_ui.audio.decode import UploadLimits, decode_upload
from musicgen_ui.audio.decode_worker import MAGIC, REPLY, Status
from musicgen_ui.audio.waveform import read_audio, wav_bytes
from musicgen_ui.errors import RequestError

RATE = 44_100
KINDS = [
    ("WAV", "PCM_16", RATE),
    ("FLAC", "PCM_24", RATE),
    ("MP3", "MPEG_LAYER_III", RATE),
    ("OGG", "VORBIS", RATE),
    ("OGG", "OPUS", 48_000),
    ("AIFF", "PCM_16", RATE),
]
SCRIPT = "import os, signal, struct, sys, time; "
IMPORT = f"sys.path.insert(0, {str(Path(__file__).resolve().parents[2])!r}); "


def tone(seconds: float = 0.6, rate: int = RATE, channels: int = 1, level: float = 0.5) -> np.ndarray:
    wave = level * np.sin(2 * np.pi * 440 * np.arange(round(seconds * rate)) / rate)
    return np.repeat(wave[:, None], channels, axis=1).astype(np.float32)


def encoded(samples: np.ndarray, kind: str = "WAV", subtype: str | None = None, rate: int = RATE) -> bytes:
    """A file of (n, channels) samples."""
    buffer = io.BytesIO()
    with soundfile.SoundFile(buffer, "w", rate, samples.shape[1], format=kind, subtype=subtype) as file:
        # In short blocks: the Vorbis encoder dies of long ones.
        for start in range(0, len(samples), rate):
            file.write(samples[start : start + rate])
    return buffer.getvalue()


def long_silence(kind: str, subtype: str, rate: int, minutes: int) -> bytes:
    buffer = io.BytesIO()
    with soundfile.SoundFile(buffer, "w", rate, 1, format=kind, subtype=subtype) as file:
        for _ in range(minutes * 60):
            file.write(np.zeros(rate, np.float32))
    return buffer.getvalue()


LIMITS = UploadLimits(wall_seconds=60.0)
"""Patient: tests run on busy machines."""


def refusal(data, limits: UploadLimits = LIMITS, cut: bool = False) -> str:
    with pytest.raises(RequestError) as caught:
        decode_upload(data, limits, argument="recording", cut=cut)
    assert caught.value.argument == "recording"
    assert "\n" not in caught.value.reason
    return caught.value.reason


def answer_of(script: str, wall: float = 30.0) -> str:
    """The refusal when this program stands in for the worker."""
    command = [sys.executable, "-c", SCRIPT + script]
    with pytest.raises(RequestError) as caught:
        decoding._decode(wav_bytes(tone().T, RATE), UploadLimits(wall_seconds=wall), "recording", False, command)
    return caught.value.reason


def reply(status: int = 0, channels: int = 1, rate: int = RATE, size: int = 0, magic: bytes = MAGIC) -> str:
    head = REPLY.pack(magic, status, channels, rate, size)
    return f"sys.stdin.buffer.read(24); sys.stdout.buffer.write({head!r}); "


class TestDecoding:
    @pytest.mark.parametrize(("kind", "subtype", "rate"), KINDS)
    def test_every_format_whatever_its_name(self, kind, subtype, rate, tmp_path):
        path = tmp_path / ("-rf; sound.mp3" if kind != "MP3" else "-rf; sound.wav")
        path.write_bytes(encoded(tone(1.0, rate, 2), kind, subtype, rate))
        samples, found = decode_upload(path, LIMITS, argument="recording")
        expected, _ = read_audio(path)
        assert found == rate
        assert samples.dtype == np.float32
        assert samples.flags.c_contiguous
        assert samples.flags.writeable
        assert np.array_equal(samples, expected)

    def test_tone_comes_back(self):
        samples, rate = decode_upload(
            encoded(tone(0.7, 48_000, 3), "FLAC", "PCM_24", 48_000), LIMITS, argument="recording"
        )
        assert rate == 48_000
        assert np.abs(samples - tone(0.7, 48_000).T).max() < 1e-6

    def test_longer_files_are_cut_on_demand(self):
        data = encoded(tone(3.0, 8000, level=0.3), "FLAC", "PCM_16", 8000)
        limits = UploadLimits(seconds=2, wall_seconds=60.0)
        assert refusal(data, limits) == "is longer than 2 seconds"
        samples, _ = decode_upload(data, limits, argument="recording", cut=True)
        assert np.array_equal(samples, decode_upload(data, LIMITS, argument="recording")[0][:, :16_000])

    def test_cutting_respects_the_memory_too(self):
        data = encoded(tone(2.0, 8000, 4), rate=8000)
        limits = UploadLimits(pcm_bytes=4 * 4 * 8000, wall_seconds=60.0)
        assert refusal(data, limits) == "is too large: 4 channels at 8000 Hz"
        assert decode_upload(data, limits, argument="recording", cut=True)[0].shape == (4, 8000)

    def test_streamed_flac_does_not_know_its_length(self):
        data = bytearray(encoded(tone(), "FLAC", "PCM_16"))
        data[21] &= 0xF0
        data[22:26] = bytes(4)
        assert decode_upload(bytes(data), LIMITS, argument="recording")[0].shape == (1, len(tone()))

    def test_start_costs_little(self):
        data = encoded(tone(10.0, channels=2), "MP3")
        times = []
        for _ in range(3):
            start = time.perf_counter()
            decode_upload(data, LIMITS, argument="recording")
            times.append(time.perf_counter() - start)
        # 0.09 s where nothing else runs.
        assert min(times) < 3.0


class TestRefusals:
    def test_by_content_before_any_worker(self, tmp_path, monkeypatch):
        monkeypatch.setattr(decoding, "_ask", None)
        (tmp_path / "song.wav").write_bytes(encoded(tone(), "AU", "PCM_16"))
        unknown = "is not a WAV, FLAC, MP3, OGG or AIFF file"
        assert refusal(tmp_path / "song.wav") == unknown
        assert refusal(b"\x89PNG\r\n\x1a\n" + bytes(99)) == unknown
        assert refusal(b"") == "is empty"
        assert refusal(tmp_path / "none.wav") == "there is no such file"
        assert refusal(bytes(101), UploadLimits(file_bytes=100)) == "is larger than 0.0001 MB"
        assert refusal(encoded(tone(), "WAV", "IMA_ADPCM")).startswith("is WAV audio of an unsupported coding")
        assert refusal(encoded(tone(), "AIFF", "IMA_ADPCM")).startswith("is AIFF audio of an unsupported coding")

    @pytest.mark.parametrize(
        ("samples", "reason"),
        [
            (tone(0.49), "is too short: it must hold at least 0.5 seconds of sound"),
            (tone(level=0.0009), "is silent: nothing in it reaches -60 dBFS"),
            (tone(level=0.0009) + 0.5, "is silent: nothing in it reaches -60 dBFS"),
            (tone()[:0], "holds no sound: the file has no samples"),
            (tone(channels=9), "has 9 channels; at most 8 are read"),
            (tone(level=1e5), "holds samples far beyond full scale; the file is damaged"),
        ],
        ids=["short", "silent", "constant", "empty", "channels", "loud"],
    )
    def test_what_is_no_sound(self, samples, reason):
        assert refusal(encoded(samples.astype(np.float32), "WAV", "FLOAT")) == reason

    @pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
    def test_what_is_no_number(self, value):
        samples = tone()
        samples[-1] = value
        assert refusal(encoded(samples, "WAV", "FLOAT")) == "holds samples that are not numbers; the file is damaged"

    def test_quiet_and_short_enough_is_accepted(self):
        samples, _ = decode_upload(encoded(tone(0.5, level=0.0012), "FLAC", "PCM_24"), LIMITS, argument="recording")
        assert samples.shape == (1, RATE // 2)

    @pytest.mark.parametrize("rate", [1, 7999, 192_001, 655_350, 2**31 - 1])
    def test_forged_rate(self, rate):
        data = bytearray(encoded(tone()))
        data[24:28] = struct.pack("<I", rate)
        assert refusal(bytes(data)) == f"has a sample rate of {rate} Hz; it must be 8000 to 192000 Hz"

    def test_damage(self):
        assert refusal(encoded(tone(), "FLAC")[:60]) == "cannot be read as FLAC audio; the file is damaged"


class TestBombs:
    @pytest.mark.parametrize(
        ("kind", "subtype", "rate", "minutes"),
        [("FLAC", "PCM_16", RATE, 60), ("OGG", "VORBIS", 8000, 30), ("OGG", "OPUS", 8000, 3)],
    )
    def test_long_silence(self, kind, subtype, rate, minutes):
        data = long_silence(kind, subtype, rate, minutes)
        assert len(data) * 50 < minutes * 60 * rate * 4
        start = time.perf_counter()
        assert refusal(data) == "is longer than 60 seconds"
        assert refusal(data, cut=True) == "is silent: nothing in it reaches -60 dBFS"
        assert time.perf_counter() - start < 8.0

    @pytest.mark.parametrize("size", [2**32 - 1, 2**31, 2**31 - 1])
    def test_a_data_size_that_lies(self, size):
        data = bytearray(encoded(tone()))
        data[40:44] = struct.pack("<I", size)
        assert decode_upload(bytes(data), LIMITS, argument="recording")[0].shape == (1, len(tone()))

    @pytest.mark.parametrize("channels", [9, 1024, 65_535])
    def test_forged_channels(self, channels):
        data = bytearray(encoded(tone()))
        data[22:24] = struct.pack("<H", channels)
        data[32:34] = struct.pack("<H", channels * 2 % 65_536)
        assert "channels" in refusal(bytes(data)) or "damaged" in refusal(bytes(data))

    def test_eight_fast_channels_are_cut_to_the_memory_that_is_allowed(self):
        data = encoded(np.zeros((192_000 * 12, 8), np.int16), "FLAC", "PCM_16", 192_000)
        assert refusal(data) == "is too large: 8 channels at 192000 Hz"
        assert refusal(data, cut=True).startswith("is silent")

    def test_too_little_memory_is_one_sentence(self):
        reason = refusal(encoded(tone()), UploadLimits(address_space=2**20, wall_seconds=60.0))
        assert reason == "needs too much memory to decode; the file may be damaged"


class TestIsolation:
    @pytest.mark.parametrize(
        ("script", "reason"),
        [
            ("os.kill(os.getpid(), signal.SIGSEGV)", decoding._CRASHED),
            ("sys.stdin.buffer.read(24); os.abort()", decoding._CRASHED),
            ("os.kill(os.getpid(), signal.SIGKILL)", decoding._STOPPED),
            ("sys.exit(3)", decoding._FAILED),
            ("raise MemoryError", decoding._FAILED),
            ("os.close(1); time.sleep(30)", decoding._FAILED),
            (reply(magic=b"oops"), decoding._FAILED),
            (reply(status=99), decoding._FAILED),
            (reply(channels=0), decoding._FAILED),
            (reply(channels=9), decoding._FAILED),
            (reply(rate=7999), decoding._FAILED),
            (reply(size=2**60), decoding._FAILED),
            (reply(size=4 * RATE * 60 + 4), decoding._FAILED),
            (reply(channels=2, size=12) + "sys.stdout.buffer.write(bytes(12))", decoding._FAILED),
            (reply(size=400) + "sys.stdout.buffer.write(bytes(300))", decoding._FAILED),
            (reply(size=4) + "sys.stdout.buffer.write(struct.pack('<f', float('nan')))", "holds samples that are not"),
            (reply(), "holds no sound"),
            (reply(status=int(Status.TOO_LONG)), "is longer than 60 seconds"),
        ],
    )
    def test_whatever_the_worker_does_is_one_sentence(self, script, reason):
        pid = os.getpid()
        assert answer_of(script).startswith(reason)
        assert os.getpid() == pid

    @pytest.mark.parametrize(
        "script", ["time.sleep(60)", "sys.stdin.buffer.read()\nwhile True: sys.stdout.buffer.write(b'')"]
    )
    def test_a_hang_ends_with_the_clock(self, script):
        start = time.perf_counter()
        assert answer_of(script, wall=0.4) == decoding._TOO_SLOW
        assert time.perf_counter() - start < 10.0

    def test_endless_output_is_not_read(self):
        script = reply(size=400) + "\nwhile True: sys.stdout.buffer.write(bytes(1 << 20))"
        assert answer_of(script).startswith("is too short")

    @pytest.mark.skipif(sys.platform != "linux", reason="/proc")
    def test_what_the_worker_started_ends_with_it(self, tmp_path):
        note = tmp_path / "pid"
        child = f"os.close(1); open({str(note)!r}, 'w').write(str(os.getpid()) + '.'); time.sleep(60)"
        wait = f"\nwhile not (os.path.exists({str(note)!r}) and '.' in open({str(note)!r}).read()): time.sleep(0.01)"
        assert answer_of(f"pid = os.fork()\nif pid == 0: {child}{wait}\nsys.exit(3)") == decoding._FAILED
        state = Path(f"/proc/{note.read_text().rstrip('.')}/stat")
        for _ in range(50):
            # A zombie waits for init, which is slow in some containers.
            if not state.exists() or state.read_text().rsplit(")", 1)[1].split()[0] == "Z":
                return
            time.sleep(0.02)
        pytest.fail("the worker's child lives on")

    @pytest.mark.skipif(sys.platform == "win32", reason="no such limits")
    def test_cpu_time_is_limited(self):
        spin = IMPORT + "from musicgen_ui.audio.decode_worker import confine; confine(1 << 30, 1)\nwhile True: pass"
        start = time.perf_counter()
        assert answer_of(spin, wall=60.0) == decoding._TOO_SLOW
        assert time.perf_counter() - start < 50.0

    def test_no_secrets_in_the_environment(self, monkeypatch):
        monkeypatch.setenv("SECRET_TOKEN", "abc")
        leak = "\nif any('SECRET' in name for name in os.environ): sys.exit(0)\n" + reply(status=int(Status.TOO_LONG))
        assert answer_of(leak) == "is longer than 60 seconds"

    def test_a_machine_that_starts_nothing(self):
        with pytest.raises(RequestError, match="too busy"):
            decoding._decode(encoded(tone()), UploadLimits(), "recording", False, ["/nonexistent/python"])

    def test_the_next_file_is_served_at_once(self):
        answer_of("os.kill(os.getpid(), signal.SIGSEGV)")
        start = time.perf_counter()
        decode_upload(encoded(tone()), LIMITS, argument="recording")
        assert time.perf_counter() - start < 5.0

    def test_no_descriptor_and_no_process_is_left(self):
        def files() -> int:
            return len(list(Path("/proc/self/fd").iterdir())) if sys.platform == "linux" else 0

        decode_upload(encoded(tone()), LIMITS, argument="recording")
        before = files()
        for script in ("time.sleep(60)", "sys.exit(1)"):
            answer_of(script, wall=0.3)
        assert files() == before
