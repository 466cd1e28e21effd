"""Whatever a person types wrong: exit code 2, one line that names the argument, and nothing on disk."""

from __future__ import annotations

import struct
import subprocess
import sys

import pytest

from musicgen_ui.__main__ import main
from musicgen_ui.music.midi import score_to_midi
from musicgen_ui.music.score import Note, Score

GENERATE = [
    pytest.param(["--bars", "0"], "--bars", id="no-bars"),
    pytest.param(["--bars", "10000"], "--bars", id="10000-bars"),
    pytest.param(["--bars", "-4"], "--bars", id="negative-bars"),
    pytest.param(["--bars", "4.5"], "--bars", id="half-bars"),
    pytest.param(["--bars", "four"], "--bars", id="word-bars"),
    pytest.param(["--bars", ""], "--bars", id="empty-bars"),
    pytest.param(["--bars", "9" * 5000], "--bars", id="endless-bars"),
    pytest.param(["--bars", "nan"], "--bars", id="nan-bars"),
    pytest.param(["--seed", "-1"], "--seed", id="negative-seed"),
    pytest.param(["--seed", str(2**32)], "--seed", id="huge-seed"),
    pytest.param(["--seed", "1e3"], "--seed", id="float-seed"),
    pytest.param(["--takes", "0"], "--takes", id="no-takes"),
    pytest.param(["--takes", "17"], "--takes", id="17-takes"),
    pytest.param(["--rounds", "5"], "--rounds", id="5-rounds"),
    pytest.param(["--style", "tempo=nan"], "--style tempo", id="nan"),
    pytest.param(["--style", "energy=inf"], "--style energy", id="inf"),
    pytest.param(["--style", "energy=-inf"], "--style energy", id="minus-inf"),
    pytest.param(["--style", "mood=1e400"], "--style mood", id="1e400"),
    pytest.param(["--style", "tempo=59.9"], "--style tempo", id="too-slow"),
    pytest.param(["--style", "tempo=181"], "--style tempo", id="too-fast"),
    pytest.param(["--style", "density=-0.01"], "--style density", id="below"),
    pytest.param(["--style", "space=1.01"], "--style space", id="above"),
    pytest.param(["--style", "speed=0"], "--style speed", id="tape-stands"),
    pytest.param(["--style", "loudness=0.5"], "--style", id="unknown-slider"),
    pytest.param(["--style", "key=1"], "--style", id="key-is-no-slider"),
    pytest.param(["--style", "tempo"], "--style", id="no-value"),
    pytest.param(["--style", "tempo="], "--style", id="empty-value"),
    pytest.param(["--style", "=90"], "--style", id="no-name"),
    pytest.param(["--style", "tempo=fast"], "--style tempo", id="word"),
    pytest.param(["--style", "tempo=90", "--style", "tempo=100"], "--style", id="slider-twice"),
    pytest.param(["--key", "H major"], "--key", id="unknown-key"),
    pytest.param(["--key", "A minor\nB"], "--key", id="key-with-line-break"),
    pytest.param(["--key", ""], "--key", id="empty-key"),
    pytest.param(["--genre", ""], "--genre", id="empty-genre"),
    pytest.param(["--metre", "5/4"], "--metre", id="unknown-metre"),
    pytest.param(["--genre", "polka=1"], "--genre", id="unknown-genre"),
    pytest.param(["--genre", "pop=0"], "--genre", id="no-weight"),
    pytest.param(["--genre", "pop=-1"], "--genre pop", id="negative-weight"),
    pytest.param(["--genre", "pop=nan"], "--genre pop", id="nan-weight"),
    pytest.param(["--genre", "pop=1,pop=2"], "--genre", id="genre-twice"),
    pytest.param(["--genre", "pop=1,"], "--genre", id="trailing-comma"),
    pytest.param(["--parts", "lead,lead"], "--parts", id="part-twice"),
    pytest.param(["--parts", "lead,flute"], "--parts", id="unknown-part"),
    pytest.param(["--parts", ""], "--parts", id="no-part"),
    pytest.param(["--parts", ","], "--parts", id="only-comma"),
    pytest.param(["--instrument", "lead=kazoo"], "--instrument lead", id="unknown-instrument"),
    pytest.param(["--instrument", "flute=flute"], "--instrument", id="instrument-of-no-part"),
    pytest.param(["--instrument", "drums=flute"], "--instrument drums", id="flute-on-drums"),
    pytest.param(["--instrument", "lead=flute", "--instrument", "lead=oboe"], "--instrument", id="instrument-twice"),
    pytest.param(["--level", "bass=7"], "--level bass", id="too-loud"),
    pytest.param(["--level", "bass=nan"], "--level bass", id="nan-level"),
    pytest.param(["--composer", "rnn"], "--composer", id="unknown-composer"),
    pytest.param(["--synth", "kazoo"], "--synth", id="unknown-synth"),
    pytest.param(["--synth", "wavenet", "--timbre", "voice.wav"], "--timbre", id="timbre-of-the-wavenet"),
    pytest.param(["--synth", "soundfont", "--timbre", "voice.wav"], "--timbre", id="timbre-of-a-soundfont"),
    pytest.param(["--synth", "soundfont", "--timbre-seed", "3"], "--timbre-seed", id="random-timbre-of-a-soundfont"),
    pytest.param(["--timbre-seed", "-1"], "--timbre-seed", id="negative-timbre-seed"),
    pytest.param(["--timbre", "voice.wav", "--timbre-seed", "3"], "--timbre-seed", id="two-timbres"),
    pytest.param(["--timbre", "missing.wav"], "--timbre", id="missing-timbre"),
    pytest.param(["--device", "tpu"], "--device", id="unknown-device"),
    pytest.param(["--threads", "0"], "--threads", id="no-threads"),
    pytest.param(["--see", "7"], "--see", id="abbreviation"),
    pytest.param(["--out"], "--out", id="out-without-folder"),
    pytest.param(["stray"], "stray", id="stray-word"),
]

TRAIN = ["train", "composer-lstm", "--data", "x", "--out", "y"]

OTHER = [
    pytest.param([], "COMMAND", id="no-command"),
    pytest.param(["compose"], "COMMAND", id="unknown-command"),
    pytest.param(["generate"], "--out", id="no-out"),
    pytest.param(["render", "--out", "out"], "FILE", id="no-midi"),
    pytest.param(["listen"], "FILE", id="no-wav"),
    pytest.param(["listen", "missing.wav"], "missing.wav", id="missing-wav"),
    pytest.param(["listen", "."], ".", id="folder-for-wav"),
    pytest.param(["render", "missing.mid", "--out", "out"], "missing.mid", id="missing-midi"),
    pytest.param(["prepare", "--out", "out"], "--corpora", id="no-corpora"),
    pytest.param(["prepare", "--corpora", "missing", "--out", "out"], "--corpora", id="missing-corpora"),
    pytest.param(["train", "composer-gru", "--data", "x", "--out", "y"], "MODEL", id="unknown-model"),
    pytest.param([*TRAIN, "--set", "size=1"], "--set", id="unknown-field"),
    pytest.param([*TRAIN, "--set", "batch=x"], "--set", id="bad-field"),
    pytest.param(TRAIN, "--data", id="missing-training-data"),
    pytest.param(["render", ".", "--out", "out"], ".", id="folder-for-midi"),
    pytest.param(["evaluate"], "SUBJECT", id="no-subject"),
    pytest.param(["evaluate", "clips", "--seeds", "0"], "--seeds", id="no-seeds"),
    pytest.param(["evaluate", "clips", "--data", "missing"], "--data", id="missing-data"),
    pytest.param(["evaluate", "composers", "--data", "missing"], "--data", id="missing-composer-data"),
    pytest.param(["evaluate", "composers", "--data", "x", "--composer", "file"], "--composer", id="unnamed-composer"),
    pytest.param(["bench", "--repeats", "0"], "--repeats", id="no-repeats"),
    pytest.param(["serve", "--port", "70000"], "--port", id="port-too-high"),
    pytest.param(["serve", "--host", "no such host"], "--host", id="bad-host"),
]


NOTE = b"\x00\x90\x3c\x40\x60\x80\x3c\x40"


def smf(*tracks: bytes) -> bytes:
    """A MIDI file of 96 ticks a beat with these events in its tracks."""
    chunks = [events + b"\x00\xff\x2f\x00" for events in tracks]
    header = b"MThd" + struct.pack(">IHHH", 6, 1, len(tracks), 96)
    return header + b"".join(b"MTrk" + struct.pack(">I", len(chunk)) + chunk for chunk in chunks)


def refusal(argv, capsys) -> str:
    """The one line that a refused command prints."""
    assert main(argv) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    lines = captured.err.splitlines()
    assert len(lines) == 1, captured.err
    assert lines[0].startswith("error: ")
    return lines[0].removeprefix("error: ")


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(("argv", "argument"), GENERATE)
def test_generate_names_what_is_wrong(argv, argument, tmp_path, capsys):
    assert refusal(["generate", "--out", "out", *argv], capsys).startswith(f"{argument}: ")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("argv", "argument"), OTHER)
def test_every_command_names_what_is_wrong(argv, argument, tmp_path, capsys):
    assert refusal(argv, capsys).startswith(f"{argument}: ")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("command", ["generate", "render"])
@pytest.mark.parametrize("where", ["file", "file/below", "x" * 300])
def test_an_out_that_is_no_folder_is_refused_before_any_work(command, where, tmp_path, capsys):
    (tmp_path / "file").write_bytes(b"in the way")
    song = [] if command == "generate" else ["file"]
    assert refusal([command, *song, "--out", where], capsys).startswith("--out: ")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.fixture
def song(tmp_path):
    """A MIDI file with a lead and nothing else."""
    path = tmp_path / "song.mid"
    notes = tuple(Note(float(beat), 60 + beat, 1.0, 90) for beat in range(8))
    score_to_midi(Score(120.0, "4/4", 2, {"lead": notes}), path)
    return path


@pytest.mark.parametrize(
    ("argv", "argument"),
    [
        pytest.param(["--synth", "soundfont", "--timbre", "voice.wav"], "--timbre", id="timbre-of-a-soundfont"),
        pytest.param(["--synth", "wavenet", "--timbre-seed", "3"], "--timbre-seed", id="timbre-of-the-wavenet"),
        pytest.param(["--timbre", "song.mid"], "--timbre", id="timbre-of-a-midi-file"),
        pytest.param(["--style", "density=0.5"], "--style", id="slider-of-the-composer"),
        pytest.param(["--style", "tempo=100"], "--style", id="tempo-of-the-file"),
        pytest.param(["--style", "space=2"], "--style space", id="out-of-range"),
        pytest.param(["--parts", "lead,drums"], "--parts", id="part-that-is-not-there"),
        pytest.param(["--seed", "-1"], "--seed", id="negative-seed"),
    ],
)
def test_render_names_what_is_wrong(argv, argument, song, tmp_path, capsys):
    assert refusal(["render", str(song), "--out", "out", *argv], capsys).startswith(f"{argument}: ")
    assert [path.name for path in tmp_path.iterdir()] == ["song.mid"]


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"MThd", id="header-only"),
        pytest.param(b"RIFF\0\0\0\0WAVE", id="a-wav"),
        pytest.param(bytes(range(256)) * 8, id="noise"),
        pytest.param(smf(b""), id="no-notes"),
        pytest.param(smf(b"\x00\xff\x51\x03\x00\x00\x00" + NOTE), id="zero-tempo"),
        pytest.param(smf(*[NOTE] * 200), id="200-tracks"),
        pytest.param(smf(NOTE * 1_000_000), id="a-million-notes"),
    ],
)
def test_render_refuses_what_is_no_song(content, tmp_path, capsys):
    (tmp_path / "song.mid").write_bytes(content)
    assert refusal(["render", "song.mid", "--out", "out"], capsys).startswith("song.mid: ")
    assert not (tmp_path / "out").exists()


def test_render_refuses_a_truncated_song(song, tmp_path, capsys):
    song.write_bytes(song.read_bytes()[:-20])
    assert refusal(["render", "song.mid", "--out", "out"], capsys).startswith("song.mid: ")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("argv", "argument"),
    [
        pytest.param(["generate", "--out", "out", "--bars", "0"], "--bars", id="generate"),
        pytest.param(["listen", "missing.wav"], "missing.wav", id="listen"),
    ],
)
def test_a_process_ends_with_two_and_one_line(argv, argument, root, tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "musicgen_ui", *argv],
        cwd=tmp_path,
        env={"PYTHONPATH": str(root), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith(f"error: {argument}: ")
    assert not list(tmp_path.iterdir())
