"""MusicXML: every note once, bars that add up, and another program that reads the very same music."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest
import verovio

from musicgen_ui.music.form import Section
from musicgen_ui.music.musicxml import RECIPE_FIELD, to_musicxml
from musicgen_ui.music.musicxml_names import abbreviation, part_name
from musicgen_ui.music.musicxml_voices import is_swung, on_grid
from musicgen_ui.music.score import METRES, PARTS, Chord, Note, Score
from musicgen_ui.music.theory import KEYS, QUALITIES


def random_score(seed, key="F minor", metre="4/4", bars=3, programs=None):
    """Four parts with everything that makes engraving hard: overlaps, ties, micro-timing, doubled notes."""
    rng = np.random.default_rng(seed)
    beats = bars * METRES[metre]

    def note(low, high):
        onset = rng.integers(0, beats * 4) / 4 + rng.choice([0, 0, 0, -1, 1, 2]) / 24
        return Note(
            max(0.0, onset), int(rng.integers(low, high)), float(rng.choice([0.25, 1 / 3, 0.7, 1, 1.5, 4.2])), 90
        )

    ranges = {"lead": (50, 90), "chords": (40, 85), "bass": (26, 52), "drums": (35, 83)}
    counts = {"lead": 12, "chords": 30, "bass": 10, "drums": 30}
    parts = {p: tuple(sorted(note(*ranges[p]) for _ in range(counts[p]))) for p in PARTS}
    chords = tuple(
        Chord(float(beat), 2.0, int(rng.integers(12)), str(rng.choice(list(QUALITIES)))) for beat in range(0, beats, 2)
    )
    return Score(97.5, metre, bars, parts, chords, key, programs or {})


CASES = [(seed, key, metre) for seed, (key, metre) in enumerate(
    [("F minor", "4/4"), ("F# major", "3/4"), ("Ab minor", "4/4"), ("Eb minor", "3/4"), (None, "4/4")])]  # fmt: skip


def wanted(score):
    swung = is_swung(score)
    steps = score.beats * 4
    return Counter(
        (onset / 4, pitch)
        for part in score.parts
        for onset, _, pitch, _ in on_grid(score.notes(part), steps, swung=swung)
    )


def read_by_verovio(text):
    """(Beat, MIDI pitch) of every note that verovio plays, without those that a tie leads to."""
    toolkit = verovio.toolkit()
    assert toolkit.loadData(text)
    assert toolkit.getLog() == ""
    mei = ElementTree.fromstring(toolkit.getMEI())
    tied = {tie.get("endid")[1:] for tie in mei.iter("{http://www.music-encoding.org/ns/mei}tie")}
    return Counter(
        (moment["qstamp"], toolkit.getMIDIValuesForElement(name)["pitch"])
        for moment in toolkit.renderToTimemap({})
        for name in moment.get("on", [])
        if name not in tied
    )


@pytest.mark.parametrize(("seed", "key", "metre"), CASES)
def test_another_program_reads_the_very_same_notes(seed, key, metre):
    score = random_score(seed, key, metre)
    assert read_by_verovio(to_musicxml(score, "Title")) == wanted(score)


@pytest.mark.parametrize(("seed", "key", "metre"), CASES)
def test_every_voice_fills_every_bar(seed, key, metre):
    root = ElementTree.fromstring(to_musicxml(random_score(seed, key, metre), "Title"))
    measures = list(root.iter("measure"))
    assert len(measures) == 4 * 3
    for measure in measures:
        sums = Counter()
        for note in measure.iter("note"):
            if note.find("chord") is None:
                sums[note.findtext("voice")] += int(note.findtext("duration"))
        assert set(sums.values()) == {4 * METRES[metre]}
        backups = [int(b.findtext("duration")) for b in measure.iter("backup")]
        assert backups == [4 * METRES[metre]] * (len(sums) - 1)
        staves = Counter((n.findtext("staff"), n.findtext("voice")) for n in measure.iter("note"))
        assert all(count <= 2 for count in Counter(staff for staff, _ in staves).values())


def test_accidentals_hold_to_the_bar_line_and_no_further():
    notes = [(0, 66), (1, 66), (2, 65), (4, 66), (7, 66), (8, 65)]
    lead = tuple(Note(float(beat), pitch, 2.0 if beat == 7 else 1.0, 90) for beat, pitch in notes)
    root = ElementTree.fromstring(to_musicxml(Score(100.0, "4/4", 3, {"lead": lead}, (), "C major"), "x"))
    signs = [
        (n.findtext("pitch/step"), n.findtext("accidental")) for n in root.iter("note") if n.find("pitch") is not None
    ]
    assert signs == [("F", "sharp"), ("F", None), ("F", "natural"), ("F", "sharp"), ("F", None), ("F", None)]


def test_swing_is_written_as_plain_eighths():
    lead = tuple(Note(beat + late, 60, 0.3, 90) for beat in range(12) for late in (0.0, 2 / 3))
    text = to_musicxml(Score(120.0, "4/4", 3, {"lead": lead}), "x")
    root = ElementTree.fromstring(text)
    assert {note.findtext("duration") for note in root.iter("note")} == {"2"}
    assert root.findtext(".//words") == "Swing "
    assert root.findtext(".//swing/first") == "2"


def test_heads_marks_and_names():
    score = random_score(7, programs={"lead": 66, "chords": 0, "bass": 33, "drums": 40})
    text = to_musicxml(
        score, 'Smoky <&> "烟雾" \x00\x0b', sections=[Section("A", "A", 2), Section("B", "B", 1)], recipe='{"a":"<&>"}'
    )
    root = ElementTree.fromstring(text)
    assert root.findtext("work/work-title") == 'Smoky <&> "烟雾" '
    assert root.findtext(f".//miscellaneous-field[@name='{RECIPE_FIELD}']") == '{"a":"<&>"}'
    assert [e.text for e in root.iter("part-name")] == ["Tenor Sax", "Piano", "Finger Bass", "Brush Kit"]
    assert [e.text for e in root.iter("rehearsal")] == ["A", "B"]
    assert (root.findtext(".//fifths"), root.findtext(".//mode"), root.findtext(".//beats")) == ("-4", "minor", "4")
    assert root.find(".//sound").get("tempo") == "97.5"
    assert len(list(root.iter("harmony"))) == len(score.chords)
    assert {e.text for e in root.iter("sign")} == {"G", "F", "percussion"}
    chinese = ElementTree.fromstring(to_musicxml(score, "x", language="zh"))
    assert [e.text for e in chinese.iter("part-name")] == ["次中音萨克斯", "钢琴", "指弹贝斯", "鼓刷套鼓"]


def test_parts_are_chosen_and_a_lead_sheet_is_melody_and_chords():
    score = random_score(3)
    assert len(list(ElementTree.fromstring(to_musicxml(score, "x", parts=["bass", "drums"])).iter("score-part"))) == 2
    sheet = ElementTree.fromstring(to_musicxml(score, "x", lead_sheet=True))
    assert [e.text for e in sheet.iter("part-name")] == ["Square Lead"]
    assert list(sheet.iter("harmony"))
    with pytest.raises(ValueError, match="needs one of its own parts"):
        to_musicxml(score.with_parts(["lead"]), "x", parts=["bass"])
    with pytest.raises(ValueError, match="at most 1024 bars"):
        to_musicxml(replace(score, bars=1025), "x")


def test_an_empty_part_rests_and_equal_scores_give_equal_text():
    score = replace(random_score(1), parts={"lead": (), "drums": ()}, key=None)
    text = to_musicxml(score, "x")
    assert text == to_musicxml(score, "x")
    assert text.count('<rest measure="yes" />') == 6
    assert read_by_verovio(text) == Counter()


@pytest.mark.parametrize("key", KEYS)
def test_every_key_loads(key):
    lead = (Note(0.0, 60, 1.0, 90), Note(1.0, 61, 1.0, 90))
    assert sum(read_by_verovio(to_musicxml(Score(100.0, "4/4", 1, {"lead": lead}, (), key), "x")).values()) == 2


def test_names_are_short_where_they_must_be():
    assert (part_name("lead", 0), part_name("drums", 25), part_name("drums", 99)) == (
        "Piano",
        "808 Kit",
        "Standard Kit",
    )
    assert [abbreviation(n) for n in ("Flute", "Tenor Sax", "Jazz Guitar", "808 Kit", "钢琴")] == [
        "Flut.", "T. Sax", "J. Guit.", "Kit", "钢琴"]  # fmt: skip
