"""The decoder: what its process may do, what it needs, and thousands of ways in which a file can be broken."""

import io
import json
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
import soundfile

from musicgen_ui.audio import decode as decoding
from musicgen_ui.audio.decode import UploadLimits, decode_upload
from musicgen_ui.audio.decode_worker import MAGIC, REPLY, REQUEST, Bounds, Status, decode
from musicgen_ui.errors import RequestError

RATE = 44_100
BOUNDS = UploadLimits().bounds(cut=True)
ROOT = str(Path(__file__).resolve().parents[2])
MiB = 2**20


def encoded(kind: str, subtype: str | None = None, rate: int = 16_000, seconds: float = 0.6) -> bytes:
    buffer = io.BytesIO()
    wave = 0.5 * np.sin(2 * np.pi * 440 * np.arange(round(seconds * rate)) / rate)
    soundfile.write(buffer, np.stack([wave, 0.5 * wave], axis=1), rate, format=kind, subtype=subtype)
    return buffer.getvalue()


def in_process_of_its_own(script: str, data: bytes = b"", *arguments: str) -> subprocess.CompletedProcess:
    """Runs a script that can import the package, as bare as the worker is."""
    prelude = f"import sys; sys.path[:] = {[ROOT, *filter(None, sys.path)]!r}\n"
    command = [sys.executable, "-I", "-S", "-c", prelude + textwrap.dedent(script), *arguments]
    return subprocess.run(command, input=data, capture_output=True, timeout=120, check=False)


class TestCore:
    @pytest.mark.parametrize("kind", ["WAV", "FLAC", "MP3", "OGG", "AIFF"])
    def test_blocks_join_exactly(self, kind, monkeypatch):
        data = encoded(kind)
        monkeypatch.setattr("musicgen_ui.audio.decode_worker.BLOCK", 1000)
        reply = decode(data, BOUNDS)
        whole = soundfile.read(io.BytesIO(data), dtype="float32", always_2d=True)[0]
        assert (reply.status, reply.channels, reply.sample_rate) == (Status.DONE, 2, 16_000)
        # The MP3 decoder rounds the last bit by where its buffers lie.
        assert np.allclose(np.frombuffer(reply.pcm, np.float32).reshape(-1, 2), whole, rtol=0, atol=2.5e-7)

    def test_most_frames(self):
        bounds = Bounds(60.0, 8, 8_000, 192_000, 64 * MiB, cut=False)
        assert bounds.frames(1, RATE) == 60 * RATE
        assert bounds.frames(2, 96_000) == 60 * 96_000
        assert bounds.frames(8, 192_000) == 2 * MiB

    @pytest.mark.parametrize("frames", [7999, 8000, 8001])
    def test_exactly_as_long_as_allowed(self, frames):
        buffer = io.BytesIO()
        soundfile.write(buffer, np.full(frames, 0.5), 8000, format="FLAC")
        reply = decode(buffer.getvalue(), BOUNDS._replace(seconds=1.0, cut=False))
        assert reply.status == (Status.DONE if frames <= 8000 else Status.TOO_LONG)
        assert len(reply.pcm) == (4 * frames if frames <= 8000 else 0)
        assert len(decode(buffer.getvalue(), BOUNDS._replace(seconds=1.0)).pcm) == 4 * min(frames, 8000)

    def test_codings_that_only_the_decoder_can_tell(self):
        """An MP3 of layer II, or a WAV that calls itself something else, must not pass by its first bytes."""
        assert decode(encoded("WAV", "IMA_ADPCM"), BOUNDS).status == Status.RARE_CODING
        assert decode(encoded("AU", "PCM_16"), BOUNDS).status == Status.RARE_CODING
        assert decode(b"", BOUNDS).status == Status.DAMAGED


class TestProcess:
    def request(self, data: bytes, bounds: Bounds = BOUNDS, size: int | None = None) -> bytes:
        limits = UploadLimits()
        length = len(data) if size is None else size
        return REQUEST.pack(MAGIC, *bounds, limits.address_space, limits.cpu_seconds, length) + data

    def test_one_request_one_reply(self):
        done = in_process_of_its_own(decoding._START.split("; ", 2)[2], self.request(encoded("FLAC")))
        magic, status, channels, rate, size = REPLY.unpack(done.stdout[: REPLY.size])
        assert (magic, status, channels, rate) == (MAGIC, Status.DONE, 2, 16_000)
        assert len(done.stdout) == REPLY.size + size
        assert size == 4 * 2 * 9600

    @pytest.mark.parametrize("cut", [0, 10, REQUEST.size, REQUEST.size + 100])
    def test_a_request_that_breaks_off_is_dropped(self, cut):
        done = in_process_of_its_own(decoding._START.split("; ", 2)[2], self.request(encoded("FLAC"))[:cut])
        assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")

    def test_imports_little(self):
        done = in_process_of_its_own(
            """
            import musicgen_ui.audio.decode_worker
            print(*(name for name in sys.modules if name.startswith("musicgen_ui.") or "." not in name))
            """
        )
        modules = set(done.stdout.decode().split())
        assert not {"torch", "scipy", "numba", "gradio", "soxr"} & modules
        assert {name for name in modules if name.startswith("musicgen_ui.")} == {
            "musicgen_ui.audio",
            "musicgen_ui.audio.decode_worker",
            "musicgen_ui.audio.formats",
        }

    @pytest.mark.skipif(sys.platform == "win32", reason="no such limits")
    def test_confined_it_can_open_nothing(self):
        done = in_process_of_its_own(
            """
            import os, resource, socket
            from musicgen_ui.audio.decode_worker import confine
            confine(1 << 30, 5)
            attempts = {
                "read": lambda: open("/etc/hostname"),
                "write": lambda: open("/tmp/never", "w"),
                "socket": lambda: socket.socket(),
                "pair": lambda: socket.socketpair(),
                "pipe": lambda: os.pipe(),
                "memory": lambda: bytearray(1 << 31),
                "more": lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (99, 99)) if os.getuid() else 1 / 0,
            }
            for name, attempt in attempts.items():
                try:
                    attempt()
                    print("done", name)
                except (OSError, MemoryError, ValueError, ZeroDivisionError):
                    print("refused")
            print(resource.getrlimit(resource.RLIMIT_CORE)[1], resource.getrlimit(resource.RLIMIT_FSIZE)[1])
            """
        )
        assert done.stdout.decode().split("\n") == ["refused"] * 7 + ["0 0", ""]

    @pytest.mark.skipif(sys.platform != "linux", reason="/proc")
    def test_memory_on_bombs(self):
        script = """
            status = open("/proc/self/status")
            from musicgen_ui.audio.decode_worker import main
            main()
            sys.stdout.flush()
            status.seek(0)
            print(next(line for line in status if line.startswith("VmHWM")), file=sys.stderr)
            """
        hour, wide = io.BytesIO(), io.BytesIO()
        with soundfile.SoundFile(hour, "w", RATE, 1, format="FLAC", subtype="PCM_16") as file:
            for _ in range(60):
                file.write(np.zeros(60 * RATE, np.int16))
        soundfile.write(wide, np.zeros((192_000 * 12, 8), np.int16), 192_000, format="FLAC")
        peaks = []
        for data in (hour.getvalue(), wide.getvalue(), wide.getvalue() + bytes(14_000_000)):
            done = in_process_of_its_own(script, self.request(data))
            assert REPLY.unpack(done.stdout[: REPLY.size])[1] == Status.DONE
            peaks.append(int(done.stderr.split()[1]) / 1024)
        # 42 MiB before it reads anything.
        assert max(peaks) < 300, peaks


FUZZ = """
    import json, time
    import numpy as np
    from musicgen_ui.audio.decode_worker import Bounds, decode
    from musicgen_ui.audio.formats import audio_format, is_common_coding

    each, screened = int(sys.argv[2]), sys.argv[3] == "True"
    rng = np.random.default_rng(int(sys.argv[1]))
    head = json.loads(sys.stdin.readline())
    seeds = [bytes.fromhex(line) for line in sys.stdin]
    bounds = Bounds(*head)
    extremes = [0, 1, 127, 128, 255]
    counts = {}
    slowest = 0.0
    for base in seeds:
        for turn in range(each):
            data = bytearray(base)
            reach = [64, 400, len(data)][turn % 3]
            for _ in range(rng.integers(1, 9)):
                place = int(rng.integers(min(reach, len(data))))
                match int(rng.integers(7)):
                    case 0: data[place] = int(rng.integers(256))
                    case 1: data[place] ^= 1 << int(rng.integers(8))
                    case 2: data[place] = extremes[rng.integers(5)]
                    case 3: data[place:place + 4] = int(rng.choice([0, 2**31 - 1, 2**32 - 1, 65536])).to_bytes(4, "big")
                    case 4: del data[place:place + int(rng.integers(1, 40))]
                    case 5: data[place:place] = data[max(0, place - 40):place]
                    case 6: del data[len(data) - int(rng.integers(len(data) // 2 + 1)):]
                if len(data) < 2:
                    break
            data = bytes(data)
            print(json.dumps(["next", data.hex()[:400]]), flush=True)
            kind = audio_format(data)
            start = time.perf_counter()
            if screened and (kind is None or not is_common_coding(data, kind)):
                result = "SCREENED"
            else:
                result = decode(data, bounds).status.name
            slowest = max(slowest, time.perf_counter() - start)
            counts[result] = counts.get(result, 0) + 1
    print(json.dumps(["end", counts, slowest]), flush=True)
    """
SEEDS = [("WAV", "PCM_16"), ("WAV", "FLOAT"), ("FLAC", "PCM_16"), ("MP3", None), ("OGG", "VORBIS"), ("OGG", "OPUS")]
SEEDS += [("AIFF", "PCM_16"), ("AIFF", "ULAW")]


def fuzz(seed: int, each: int, screened: bool = True) -> tuple[dict[str, int], float]:
    """Counts of how decoding mutations went, and the longest time of one in seconds."""
    lines = [json.dumps(BOUNDS), *(encoded(*kind, seconds=0.3).hex() for kind in SEEDS)]
    done = in_process_of_its_own(FUZZ, "\n".join(lines).encode(), str(seed), str(each), str(screened))
    last = json.loads(done.stdout.splitlines()[-1])
    assert last[0] == "end", f"died with {done.returncode} after {last}: {done.stderr[-500:]!r}"
    return last[1], last[2]


class TestFuzz:
    @pytest.mark.parametrize("screened", [True, False])
    def test_mutations_of_every_format(self, screened):
        """The decoder must also live without the screen before it."""
        counts, slowest = fuzz(seed=1, each=150, screened=screened)
        assert sum(counts.values()) == 150 * len(SEEDS)
        assert set(counts) <= {"SCREENED", *Status.__members__}
        # It has to reach the decoder and to break something there, else it tests nothing.
        assert counts["DONE"] > 200
        assert counts["DAMAGED"] > 100
        assert slowest < 8.0

    def test_mutations_through_the_whole_path(self):
        rng = np.random.default_rng(2)
        limits = UploadLimits(wall_seconds=60.0)
        refused = 0
        for turn in range(36):
            data = bytearray(encoded(*SEEDS[turn % len(SEEDS)]))
            for place in rng.integers(0, min(len(data), 300), 5):
                data[place] = rng.integers(256)
            try:
                samples, rate = decode_upload(bytes(data), limits, argument="recording", cut=True)
            except RequestError:
                refused += 1
                continue
            assert np.isfinite(samples).all()
            assert 8_000 <= rate <= 192_000
            assert samples.shape[1] <= 60 * rate
        assert 0 < refused < 36
