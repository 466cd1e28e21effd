"""A Score as MusicXML 4.0: the text that every notation program reads, and that the page engraves.

Notes are written on a sixteenth grid; swing becomes plain eighths under the word "Swing". Pitches sound as written
but where a clef says an octave.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from xml.etree import ElementTree

from musicgen_ui.music.form import Section
from musicgen_ui.music.harmony import beat_chroma, estimate_key
from musicgen_ui.music.midi import CHANNELS, DEFAULT_PROGRAMS
from musicgen_ui.music.musicxml_bars import PartWriter, add
from musicgen_ui.music.musicxml_drums import drum
from musicgen_ui.music.musicxml_names import abbreviation, part_name
from musicgen_ui.music.musicxml_rhythm import STEPS
from musicgen_ui.music.musicxml_spelling import Speller
from musicgen_ui.music.musicxml_voices import Staff, is_swung, on_grid, staves
from musicgen_ui.music.score import PARTS, TICKS_PER_BEAT, Chord, Score, to_ticks
from musicgen_ui.music.theory import key_is_minor

SOFTWARE = "MusicGen UI"

RECIPE_FIELD = "MUSICGEN_RECIPE"
"""Name of the miscellaneous field that holds the recipe."""

MAX_BARS = 1024

_KINDS = {
    "maj": ("major", ""),
    "min": ("minor", "m"),
    "7": ("dominant", "7"),
    "maj7": ("major-seventh", "maj7"),
    "min7": ("minor-seventh", "m7"),
    "dim": ("diminished", "dim"),
    "aug": ("augmented", "aug"),
    "sus": ("suspended-fourth", "sus4"),
}
"""Chord quality to MusicXML's kind and what is written after the root."""


def to_musicxml(
    score: Score,
    title: str,
    parts: Sequence[str] | None = None,
    language: str = "en",
    *,
    lead_sheet: bool = False,
    sections: Sequence[Section] = (),
    recipe: str | None = None,
) -> str:
    """A MusicXML 4.0 document (partwise).

    Args:
        score: what to write, at most MAX_BARS long.
        title: shown above the music.
        parts: names of the parts to write; all that the score has by default.
        language: ``"en"`` or ``"zh"``, of the names of the instruments.
        lead_sheet: write the melody and the chord symbols alone.
        sections: form, written as rehearsal marks.
        recipe: canonical JSON to keep in the file.

    Returns:
        Text that is a function of the arguments alone.

    Raises:
        ValueError: there is no part to write, or the score is too long.
    """
    wanted = [part for part in PARTS if part in score.parts and part in (parts or PARTS)]
    if lead_sheet:
        wanted = [part for part in wanted if part != "drums"][:1]
    if not wanted or score.bars > MAX_BARS:
        raise ValueError(f"a score needs one of its own parts and at most {MAX_BARS} bars")
    if score.key is None:
        score = replace(score, key=estimate_key(beat_chroma(score).sum(axis=0))[0])
    root = ElementTree.Element("score-partwise", version="4.0")
    _head(root, _text(title), recipe)
    swung = is_swung(score)
    steps = score.beats * STEPS
    programs = {**DEFAULT_PROGRAMS, **score.programs}
    part_list = add(root, "part-list")
    speller, chord_at = Speller(score.key), _chords_in_force(score)
    minor = score.key is not None and key_is_minor(score.key)
    for number, part in enumerate(wanted, 1):
        notes = on_grid(score.notes(part), steps, swung=swung)
        on_staves = staves(part, notes, programs[part])
        _part_entry(part_list, f"P{number}", part, on_staves, programs[part], language)
        writer = PartWriter(score, on_staves, speller=speller, minor=minor, ident=f"P{number}", chord_at=chord_at)
        element = add(root, "part", id=f"P{number}")
        marks = _marks(score, swung, speller, sections) if number == 1 else {}
        for bar in range(score.bars):
            writer.measure(element, bar, marks.get(bar, []))
    ElementTree.indent(root, " ")
    text = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'


def _head(root: ElementTree.Element, title: str, recipe: str | None) -> None:
    add(add(root, "work"), "work-title", title)
    identification = add(root, "identification")
    add(identification, "creator", SOFTWARE, type="composer")
    add(add(identification, "encoding"), "software", SOFTWARE)
    if recipe is not None:
        add(add(identification, "miscellaneous"), "miscellaneous-field", _text(recipe), name=RECIPE_FIELD)
    for words, kind, justify in ((title, "title", "center"), (SOFTWARE, "composer", "right")):
        credit = add(root, "credit", page="1")
        add(credit, "credit-type", kind)
        add(credit, "credit-words", words, justify=justify)


def _text(text: str) -> str:
    """Without the characters that XML cannot hold."""
    return "".join(c for c in text if c in "\t\n" or (c >= " " and not 0xD800 <= ord(c) <= 0xDFFF and c not in "￾￿"))


def _part_entry(
    part_list: ElementTree.Element, ident: str, part: str, on_staves: Sequence[Staff], program: int, language: str
) -> None:
    entry = add(part_list, "score-part", id=ident)
    name = part_name(part, program, language)
    add(entry, "part-name", name)
    add(entry, "part-abbreviation", abbreviation(name))
    channel = str(CHANNELS[part] + 1)
    if part != "drums":
        add(add(entry, "score-instrument", id=f"{ident}-I1"), "instrument-name", name)
        sound = add(entry, "midi-instrument", id=f"{ident}-I1")
        add(sound, "midi-channel", channel)
        add(sound, "midi-program", str(program + 1))
        return
    pitches = sorted({p for staff in on_staves for voice in staff.voices for event in voice for p in event.pitches})
    for pitch in pitches:
        add(add(entry, "score-instrument", id=f"{ident}-I{pitch}"), "instrument-name", drum(pitch).name)
    for pitch in pitches:
        sound = add(entry, "midi-instrument", id=f"{ident}-I{pitch}")
        add(sound, "midi-channel", channel)
        add(sound, "midi-program", str(program + 1))
        add(sound, "midi-unpitched", str(pitch + 1))


def _chord_step(chord: Chord) -> int:
    return max(0, (to_ticks(chord.onset) + 3) * STEPS // TICKS_PER_BEAT)


def _chords_in_force(score: Score) -> list[tuple[int, str] | None]:
    """Root and quality in force at each step."""
    steps: list[tuple[int, str] | None] = [None] * (score.beats * STEPS)
    for chord in score.chords:
        begin = _chord_step(chord)
        end = min(len(steps), begin + max(1, to_ticks(chord.duration) * STEPS // TICKS_PER_BEAT))
        steps[begin:end] = [(chord.root, chord.quality)] * max(0, end - begin)
    return steps


def _marks(
    score: Score, swung: bool, speller: Speller, sections: Sequence[Section]
) -> Mapping[int, list[ElementTree.Element]]:
    """What stands above the first part, by bar: tempo, rehearsal marks and chord symbols."""
    marks: dict[int, list[ElementTree.Element]] = {0: [_tempo(score.tempo, swung)]}
    bar = 0
    for section in sections:
        if bar < score.bars:
            direction = ElementTree.Element("direction", placement="above")
            add(add(direction, "direction-type"), "rehearsal", _text(section.label))
            marks.setdefault(bar, []).append(direction)
        bar += section.bars
    bar_steps = score.beats_per_bar * STEPS
    last = None
    for chord in score.chords:
        bar, step = divmod(_chord_step(chord), bar_steps)
        if bar >= score.bars or (chord.root, chord.quality) == last:
            continue
        last = (chord.root, chord.quality)
        marks.setdefault(bar, []).append(_harmony(chord, step, speller))
    return marks


def _harmony(chord: Chord, step: int, speller: Speller) -> ElementTree.Element:
    harmony = ElementTree.Element("harmony", {"print-frame": "no"})
    letter, alter = speller.root(chord.root)
    root = add(harmony, "root")
    add(root, "root-step", letter)
    if alter:
        add(root, "root-alter", str(alter))
    kind, written = _KINDS[chord.quality]
    add(harmony, "kind", kind, text=written)
    if step:
        add(harmony, "offset", str(step))
    return harmony


def _tempo(tempo: float, swung: bool) -> ElementTree.Element:
    direction = ElementTree.Element("direction", placement="above")
    if swung:
        add(add(direction, "direction-type"), "words", "Swing ")
    metronome = add(add(direction, "direction-type"), "metronome", parentheses="no")
    add(metronome, "beat-unit", "quarter")
    add(metronome, "per-minute", f"{tempo:.4g}")
    sound = add(direction, "sound", tempo=f"{tempo:.6g}")
    if swung:
        swing = add(sound, "swing")
        for name, value in (("first", "2"), ("second", "1"), ("swing-type", "eighth")):
            add(swing, name, value)
    return direction
