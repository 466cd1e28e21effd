"""``evaluate control`` and the options of ``evaluate clips`` over a fake studio."""

from __future__ import annotations

import json

import pytest

from musicgen_ui.__main__ import main
from musicgen_ui.engine.response import Curve, Response, Responses
from musicgen_ui.music.score import Note, Score


def control(tmp_path, *options):
    files = ["--rows", str(tmp_path / "rows.jsonl"), "--report", str(tmp_path / "control.json")]
    size = ["--bars", "1", "--levels", "3", "--seeds", "1", "--rounds", "1"]
    return main(["evaluate", "control", *files, *size, *options])


def test_it_prints_a_table_and_writes_rows_report_and_figure(loaded, tmp_path, capsys):
    options = ("--sliders", "tempo,density", "--figure", str(tmp_path / "control.png"))
    assert control(tmp_path, *options) == 0
    out = capsys.readouterr().out
    assert "wavenet x vaegan, 6 clips" in out
    assert "tempo within 4 %" in out
    report = json.loads((tmp_path / "control.json").read_text(encoding="utf-8"))
    assert report["wavenet x vaegan"]["clips"] == 6
    assert report["settings"]["design"] == "sweep"
    assert (tmp_path / "control.png").is_file()
    lines = (tmp_path / "rows.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(lines) == 7


def test_what_is_there_is_not_made_again(loaded, tmp_path, capsys):
    assert control(tmp_path, "--sliders", "density") == 0
    loaded.options = None
    assert control(tmp_path, "--sliders", "density") == 0
    assert loaded.options is None, "nothing was missing, so no studio was loaded"
    assert control(tmp_path, "--sliders", "density", "--composer", "wavenet,lstm") == 0
    assert loaded.options is not None
    assert "lstm x vaegan" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (("--sliders", "loudness"), "--sliders: 'loudness' is not one of"),
        (("--ship", "x.json"), "--ship: needs --plain and --levels 9"),
        (("--composer", "wavenet,wavenet"), "--composer: wavenet is given twice"),
        (("--checkpoints", "absent"), "--checkpoints: absent holds no models"),
    ],
)
def test_bad_options_are_told_in_a_line(loaded, tmp_path, capsys, options, complaint):
    assert control(tmp_path, *options) == 2
    assert complaint in capsys.readouterr().err
    assert loaded.options is None


def test_without_rounds_clips_are_composed_as_batches_and_brightness_needs_no_new_score(loaded, tmp_path, monkeypatch):
    batches = []

    def compose_many(composer, styles, seeds, *, bars, takes, scales, shape):
        batches.append((composer, len(styles), sorted(seeds), takes, shape.ending))
        notes = (Note(0.0, 60, 1.0, 90),)
        return [Score(s.tempo, s.metre, bars, {"lead": notes}, key="A minor", programs={"lead": 0}) for s in styles]

    monkeypatch.setattr("musicgen_ui.engine.compose.compose_many", compose_many)
    monkeypatch.setattr("musicgen_ui.models.composers.load_composer", lambda path, device: path.stem)
    options = ("--rounds", "0", "--seeds", "2", "--sliders", "brightness,density", "--takes", "3")
    assert control(tmp_path, *options) == 0
    assert batches == [("composer_wavenet", 2 + 6, [0, 0, 0, 0, 1, 1, 1, 1], 3, "open")], "one score a seed, and six"
    rows = [json.loads(line) for line in (tmp_path / "rows.jsonl").read_text(encoding="utf-8").splitlines()[1:]]
    assert len(rows) == 12
    assert {row["asked"]["brightness"] for row in rows if row["moved"] == "brightness"} == {0.0, 0.5, 1.0}
    assert all(row["first"] == row["heard"] and row["kinds"] == [] for row in rows)


def test_shipped_curves_join_those_that_are_there(loaded, tmp_path):
    ship = tmp_path / "ship" / "control.json"
    ship.parent.mkdir()
    flat = Response({"mood": Curve((0.5,) * 9, (0.4,) * 9, (0.6,) * 9)})
    Responses({"lstm": {"soundfont": flat}}).save(ship)
    assert control(tmp_path, "--plain", "--levels", "9", "--sliders", "density,tempo", "--ship", str(ship)) == 0
    table = Responses.load(ship).table
    assert table["lstm"]["soundfont"] == flat
    assert table["wavenet"]["vaegan"].curves == {}, "the fake studio hears the tempo only, and that is set exactly"


def test_clips_of_random_sliders_with_rounds_stand_beside_the_listener(loaded, tmp_path, capsys):
    listener = tmp_path / "listener.json"
    listener.write_text(json.dumps({"held-out pieces": {"tempo": {"exact": 0.97}, "key": {"exact": 0.81}}, "clips": 3}))
    report = tmp_path / "clips.json"
    options = ["--clips", "3", "--bars", "1", "--rounds", "1", "--takes", "2", "--composer", "lstm"]
    assert main(["evaluate", "clips", *options, "--listener", str(listener), "--report", str(report)]) == 0
    out = capsys.readouterr().out
    assert "the Listener on held-out pieces: key exact" in out
    assert "tempo within 4 %, first try" in out
    values = json.loads(report.read_text(encoding="utf-8"))
    assert values["clips"] == 3
    assert values["listener"]["held-out pieces"] == {"tempo within 4 %": 0.97, "key exact": 0.81}
    listener.write_text("{]")
    assert main(["evaluate", "clips", "--listener", str(listener)]) == 2
    assert "is no report of evaluate listener" in capsys.readouterr().err


def test_generate_says_what_was_tried_and_gained(loaded, tmp_path, capsys):
    assert main(["generate", "--bars", "1", "--rounds", "2", "--style", "tempo=120", "--out", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert "outside tolerance" in out, "the fake studio is always heard at 96 BPM"
    assert "round 1: " not in out
    assert "no more rounds: nothing was heard" in out
    values = json.loads((tmp_path / "clip.json").read_text(encoding="utf-8"))
    assert values["gain"]["kept"] == 0
    assert values["rounds"][0]["outside"] == ["tempo"]
