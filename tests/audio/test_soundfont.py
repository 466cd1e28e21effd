"""The SoundFont player, on a SoundFont of one known sample, built here byte by byte."""

import io
import struct
import subprocess
import sys
import threading

import numpy as np
import pytest
import soundfile

from musicgen_ui.audio import timgm6mb
from musicgen_ui.audio.soundfont import GAIN_DB, ONE_SHOT_SECONDS, VARIABLE, PlayedNote, SoundFont, embedded_path
from musicgen_ui.audio.soundfont_file import check_soundfont
from musicgen_ui.errors import RequestError
from musicgen_ui.music.instruments import KITS

RATE = 44_100
GAIN = 10 ** (GAIN_DB / 20)


def chunk(name: bytes, data: bytes) -> bytes:
    return name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)


def name20(text: str) -> bytes:
    return text.encode().ljust(20, b"\0")


def tables(frames: int, kind: int, ending: int) -> dict[bytes, bytes]:
    """One looped sample, root key 60, on program 0 of bank 0 and of the drum bank."""
    generators = [(54, 1), (58, 60), (53, 0)]
    return {
        b"phdr": b"".join(
            name20(text) + struct.pack("<HHHIII", 0, bank, bag, 0, 0, 0)
            for text, bank, bag in (("tone", 0, 0), ("kit", 128, 1), ("EOP", 0, 2))
        ),
        b"pbag": struct.pack("<6H", 0, 0, 1, 0, 2, 0),
        b"pmod": bytes(10),
        b"pgen": struct.pack("<6H", 41, 0, 41, 0, 0, 0),
        b"inst": name20("tone") + struct.pack("<H", 0) + name20("EOI") + struct.pack("<H", 1),
        b"ibag": struct.pack("<4H", 0, 0, len(generators), 0),
        b"imod": bytes(10),
        b"igen": b"".join(struct.pack("<HH", *g) for g in (*generators, (0, 0))),
        b"shdr": name20("tone")
        + struct.pack("<5I", 0, ending, 0, frames, RATE)
        + struct.pack("<BbHH", 60, 0, 0, kind)
        + name20("EOS")
        + bytes(26),
    }


def soundfont_bytes(samples: np.ndarray | None = None, compressed: bool = False, **replaced: bytes) -> bytes:
    if samples is None:
        samples = np.full(1000, 0.5)
    if compressed:
        buffer = io.BytesIO()
        soundfile.write(buffer, samples, RATE, format="OGG", subtype="VORBIS")
        data = buffer.getvalue()
    else:
        data = (samples * 32767).astype("<i2").tobytes() + bytes(92)
    parts = tables(len(samples), 0x11 if compressed else 1, len(data) if compressed else len(samples))
    parts |= {name.encode(): content for name, content in replaced.items()}
    body = b"sfbk" + chunk(b"LIST", b"INFO" + chunk(b"ifil", struct.pack("<HH", 3 if compressed else 2, 1)))
    body += chunk(b"LIST", b"sdta" + chunk(b"smpl", data))
    body += chunk(b"LIST", b"pdta" + b"".join(chunk(name, content) for name, content in parts.items()))
    return chunk(b"RIFF", body)


@pytest.fixture
def constant(tmp_path) -> SoundFont:
    """A SoundFont whose every note is the constant 0.5: the output shows its gain and its envelope."""
    (tmp_path / "constant.sf2").write_bytes(soundfont_bytes())
    return SoundFont.load(tmp_path / "constant.sf2")


@pytest.fixture(scope="module")
def embedded() -> SoundFont:
    return SoundFont.load(embedded_path())


class TestRender:
    @pytest.mark.parametrize("start", [0, 1, 63, 64, 65, 4410, 7777])
    def test_a_note_starts_at_its_sample(self, constant, start):
        samples = constant.render([PlayedNote(start, 9000, 60, 127)], 0, 10_000)
        assert samples.dtype == np.float32
        assert samples.shape == (10_000,)
        assert not samples[:start].any()
        assert samples[start] > 0.2 * GAIN
        # The player's low-pass (at 20 kHz) takes a few samples to settle.
        assert np.allclose(samples[start + 64 : 9000], 0.5 * GAIN, atol=1e-4)

    def test_a_note_ends_at_its_sample(self, constant):
        samples = constant.render([PlayedNote(100, 5000, 60, 127)], 0, 10_000)
        # The envelope moves in steps of 64 samples.
        assert samples[4999] == pytest.approx(0.5 * GAIN, abs=1e-4)
        assert samples[5000 + 192] < 0.3 * GAIN
        assert not samples[6500:].any()

    @pytest.mark.parametrize("velocity", [10, 40, 64, 100, 127])
    def test_amplitude_goes_with_the_square_of_the_velocity(self, constant, velocity):
        samples = constant.render([PlayedNote(0, 500, 60, velocity)], 0, 500)
        assert samples[100] == pytest.approx(0.5 * GAIN * (velocity / 127) ** 2, rel=1e-3)

    def test_simultaneous_notes_add(self, constant):
        notes = [PlayedNote(0, 900, 60, 127), PlayedNote(0, 900, 64, 127), PlayedNote(300, 900, 67, 64)]
        apart = sum(constant.render([note], 0, 900) for note in notes)
        assert np.allclose(constant.render(notes, 0, 900), apart, atol=1e-5)

    def test_a_key_struck_again_is_let_go_first(self, constant):
        notes = [PlayedNote(0, 8000, 60, 127), PlayedNote(2000, 4000, 60, 90)]
        samples = constant.render(notes, 0, 10_000)
        assert samples[3900] == pytest.approx(0.5 * GAIN * (90 / 127) ** 2, rel=1e-3)
        assert not samples[5500:].any()  # the first note does not come back

    def test_order_of_notes_does_not_matter(self, embedded, rng):
        columns = [rng.integers(low, high, 40).tolist() for low, high in ((0, 20_000), (1, 9000), (40, 80), (1, 128))]
        notes = [PlayedNote(s, s + d, p, v) for s, d, p, v in zip(*columns, strict=True)]
        expected = embedded.render(notes, 0, 30_000)
        for _ in range(3):
            rng.shuffle(notes)
            assert np.array_equal(embedded.render(notes, 0, 30_000), expected)

    def test_drums_ring_out_but_not_for_ever(self, constant):
        length = round((ONE_SHOT_SECONDS + 0.5) * RATE)
        samples = constant.render([PlayedNote(0, 1, 60, 127)], 0, length, drums=True)
        end = round(ONE_SHOT_SECONDS * RATE)
        assert samples[end - 1] == pytest.approx(0.5 * GAIN, abs=1e-4)
        assert not samples[end + 2000 :].any()

    def test_notes_outside_and_degenerate_ones(self, constant):
        silent = constant.render([PlayedNote(5000, 6000, 60, 127), PlayedNote(-5, 10, 60, 127)], 0, 5000)
        assert not silent.any()
        assert constant.render([PlayedNote(10, 10, 60, 127), PlayedNote(20, 5, 62, 127)], 0, 400).any()
        assert constant.render([], 0, 0).shape == (0,)

    def test_hundreds_of_voices_sound(self, constant):
        """TinySoundFont drops notes beyond its voice limit without a word."""
        notes = [PlayedNote(0, 900, pitch, 127) for pitch in range(128)] * 2
        assert constant.render(notes, 0, 900)[500] == pytest.approx(128 * 0.5 * GAIN, rel=1e-3)

    def test_threads_share_one(self, embedded):
        notes = [PlayedNote(i * 2000, i * 2000 + 3000, 60 + i, 100) for i in range(10)]
        expected = embedded.render(notes, 48, 30_000)
        results: list[np.ndarray] = []
        threads = [
            threading.Thread(target=lambda: results.append(embedded.render(notes, 48, 30_000))) for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(results) == 4
        assert all(np.array_equal(result, expected) for result in results)

    def test_missing_instrument_is_named(self, constant):
        with pytest.raises(RequestError, match=r"^soundfont: constant.sf2 has no instrument of number 5"):
            constant.render([], 5, 100)
        with pytest.raises(RequestError, match="no drum kit of number 8"):
            constant.render([], 8, 100, drums=True)


class TestEmbedded:
    def test_it_has_all_of_general_midi_and_every_kit_offered(self, embedded):
        assert embedded.embedded
        assert embedded.programs == frozenset(range(128))
        assert set(KITS.values()) <= embedded.kits

    def test_kits_offered_are_distinct(self, embedded):
        hits = [PlayedNote(i * 4000, i * 4000 + 1, pitch, 100) for i, pitch in enumerate((36, 38, 42, 46, 45, 49))]
        rendered = [embedded.render(hits, kit, 24_000, drums=True) for kit in KITS.values()]
        assert all(not np.array_equal(a, b) for i, a in enumerate(rendered) for b in rendered[:i])

    def test_every_drum_sounds(self, embedded):
        for kit in KITS.values():
            for pitch in range(35, 82):
                peak = np.abs(embedded.render([PlayedNote(0, 1, pitch, 100)], kit, 8000, drums=True)).max()
                assert peak > 1e-3, (kit, pitch)

    def test_corrections_hold_for_these_bytes_only(self, tmp_path):
        (tmp_path / "other.sf2").write_bytes(embedded_path().read_bytes() + b"\0\0")
        other = SoundFont.load(tmp_path / "other.sf2")
        assert not other.embedded
        assert not other.render([PlayedNote(0, 4000, 64, 100)], 65, 4000).any()  # the gap in the alto sax

    @pytest.mark.parametrize(("program", "pitch", "expected"), [(68, 30, 42), (21, 84, 72), (0, 10, 22), (0, 120, 108)])
    def test_unplayable_notes_move_by_octaves(self, program, pitch, expected):
        assert timgm6mb.correct(program, pitch) == (expected, 0.0)

    def test_corrected_keys_stay_keys(self):
        assert all(0 <= timgm6mb.correct(p, n)[0] <= 127 for p in range(128) for n in range(128))


class TestLoad:
    def test_variable_and_argument(self, tmp_path, monkeypatch):
        (tmp_path / "a.sf2").write_bytes(soundfont_bytes())
        (tmp_path / "b.sf2").write_bytes(soundfont_bytes())
        monkeypatch.delenv(VARIABLE, raising=False)
        assert SoundFont.load().path == embedded_path()
        monkeypatch.setenv(VARIABLE, str(tmp_path / "a.sf2"))
        assert SoundFont.load().path == tmp_path / "a.sf2"
        assert SoundFont.load(tmp_path / "b.sf2").path == tmp_path / "b.sf2"
        monkeypatch.setenv(VARIABLE, "/nowhere.sf2")
        with pytest.raises(RequestError, match=r"^soundfont: there is no file /nowhere.sf2"):
            SoundFont.load()

    def test_compressed_samples(self, tmp_path):
        """An .sf3 file: the same tables, Ogg Vorbis samples."""
        sine = 0.5 * np.sin(2 * np.pi * 441 * np.arange(RATE) / RATE)
        (tmp_path / "a.sf3").write_bytes(soundfont_bytes(sine, compressed=True))
        samples = SoundFont.load(tmp_path / "a.sf3").render([PlayedNote(0, 20_000, 72, 127)], 0, 20_000)
        spectrum = np.abs(np.fft.rfft(samples[2000:20_000] * np.hanning(18_000)))
        assert spectrum.argmax() * RATE / 18_000 == pytest.approx(882, abs=3)

    @pytest.mark.parametrize(
        ("data", "reason"),
        [
            (b"", "is not a SoundFont file"),
            (b"RIFF\4\0\0\0WAVE", "is not a SoundFont file"),
            (soundfont_bytes()[:-100], "is truncated"),
            (chunk(b"RIFF", b"sfbk" + chunk(b"LIST", b"INFO")), "lacks its samples or its tables"),
            (soundfont_bytes(phdr=bytes(37)), "table phdr has a wrong size"),
            (soundfont_bytes(phdr=bytes(38)), "holds no instruments"),
            (soundfont_bytes(pbag=b""), "table pbag has a wrong size"),
            (soundfont_bytes(pbag=struct.pack("<6H", 0, 0, 9, 0, 2, 0)), "pbag points outside pgen"),
            (soundfont_bytes(ibag=struct.pack("<4H", 0, 0, 400, 0)), "ibag points outside igen"),
            (soundfont_bytes(pgen=struct.pack("<6H", 41, 7, 41, 0, 0, 0)), "pgen names a missing inst"),
            (soundfont_bytes(igen=struct.pack("<8H", 54, 1, 58, 60, 53, 500, 0, 0)), "igen names a missing shdr"),
            (soundfont_bytes(shdr=tables(9, 0x11, 99_999)[b"shdr"]), "sample lies outside"),
        ],
    )
    def test_damage_is_named(self, tmp_path, data, reason):
        (tmp_path / "bad.sf2").write_bytes(data)
        with pytest.raises(RequestError, match=f"^soundfont: .*bad.sf2 .*{reason}"):
            SoundFont.load(tmp_path / "bad.sf2")

    def test_whole_file_passes(self):
        check_soundfont(soundfont_bytes())
        check_soundfont(embedded_path().read_bytes())

    def test_mutated_tables_never_crash_the_player(self, tmp_path):
        """Unchecked, 16 of 25 such files (mutated TimGM6mb) ended the process with a segmentation fault."""
        whole = soundfont_bytes()
        (tmp_path / "whole.sf2").write_bytes(whole)
        program = (
            "import sys, numpy as np\n"
            "from musicgen_ui.audio.soundfont import PlayedNote, SoundFont\n"
            "from musicgen_ui.errors import RequestError\n"
            "whole, target = open(sys.argv[1], 'rb').read(), sys.argv[2]\n"
            "first = whole.index(b'pdta')\n"
            "for seed in range(250):\n"
            "    rng, data = np.random.default_rng(seed), bytearray(whole)\n"
            "    for place in rng.integers(first, len(data), 1 + seed % 4):\n"
            "        data[place] = rng.integers(256)\n"
            "    open(target, 'wb').write(data)\n"
            "    try:\n"
            "        font = SoundFont.load(target)\n"
            "        for program in font.programs:\n"
            "            font.render([PlayedNote(0, 300, key, 99) for key in (1, 60, 127)], program, 400)\n"
            "    except RequestError:\n"
            "        pass\n"
        )
        arguments = [sys.executable, "-c", program, tmp_path / "whole.sf2", tmp_path / "mutated.sf2"]
        done = subprocess.run(arguments, capture_output=True, text=True, timeout=600, check=False)
        assert done.returncode == 0, done.stderr
