"""The table of phrases: complete for what Python writes, sound in itself, and without phrases that nobody reaches."""

from __future__ import annotations

import re

import pytest

from musicgen_ui.audio.template_match import REASONS
from musicgen_ui.library.novelty import VERDICTS
from musicgen_ui.library.taste_features import NAMES
from musicgen_ui.library.taste_model import TERMS
from musicgen_ui.library.taste_reasons import ADJECTIVES, GUESS, LEADS
from musicgen_ui.library.taste_words import DIRECTIONS, PLACES
from musicgen_ui.music.form import FORMS
from musicgen_ui.music.instruments import CHOICES, GM_NAMES, KITS
from musicgen_ui.music.theory import KEYS
from musicgen_ui.style import EFFECTS, GENRES, SLIDERS
from musicgen_ui.timbre import TimbrePoint
from musicgen_ui.ui import controls, meters, status, timbre, tried
from musicgen_ui.ui.marks import DOWNLOADS
from musicgen_ui.ui.presets import PRESETS
from musicgen_ui.ui.words import chinese, table

FORMATS = {"WAV", "FLAC", "MP3", "OGG", "MIDI", "MusicXML", "LSTM", "WaveNet", "AABA", "ABAB"}


def _known(phrases: object) -> list[str]:
    """Those that the table does not know."""
    return [phrase for phrase in phrases if phrase not in FORMATS and chinese(phrase) is None]


@pytest.mark.parametrize("name", ["exact", "places", "patterns"])
def test_the_table_has_its_three_parts(name: str) -> None:
    assert table()[name]


def test_every_pattern_compiles_and_its_words_use_its_groups() -> None:
    for pattern, words in table()["patterns"]:
        groups = re.compile(pattern).groups
        used = {int(number) for _, number in re.findall(r"([$%])(\d)", words)}
        assert used <= set(range(1, groups + 1)), pattern
        assert re.search("[一-鿿（《：，%$]", words), pattern


def test_phrases_are_trimmed_and_not_twice_there() -> None:
    exact = table()["exact"]
    assert [key for key in exact if key != " ".join(key.split())] == []
    # The first letter of a phrase may be either: two entries must then differ in their words.
    twins = [key for key in exact if key[:1].isupper() and exact.get(key[0].lower() + key[1:]) == exact[key]]
    assert twins == []


def test_what_the_controls_say() -> None:
    said = [slider.name for slider in (*SLIDERS.values(), *EFFECTS.values())]
    said += [slider.help for slider in (*SLIDERS.values(), *EFFECTS.values())]
    said += [word for slider in SLIDERS.values() if " - " in slider.unit for word in slider.unit.split(" - ")]
    said += [*controls.ENDING_HINTS.values(), *controls.ENDING_NAMES.values(), *controls.FORM_NAMES.values()]
    said += [
        controls.composer_info(("wavenet", "lstm")),
        *(controls.FORM_NAMES.get(form, form) for form in FORMS),
        *GENRES,
        *DOWNLOADS.values(),
    ]
    said += [meters.pretty_key(key) for key in KEYS]
    said += [*timbre.SYNTH_NAMES.values(), *timbre.SYNTH_HINTS.values(), *timbre.KIND_NAMES.values(), timbre.MISSING]
    said += [*(preset.name for preset in PRESETS.values()), *(preset.blurb for preset in PRESETS.values())]
    assert _known(said) == []


def test_every_instrument_has_a_name() -> None:
    names = [*GM_NAMES, *KITS, *(name.capitalize() for part in CHOICES.values() for name in part)]
    assert _known(names) == []
    assert len({chinese(name) for name in (*GM_NAMES, *KITS)}) == len({*GM_NAMES, *KITS})


def test_what_the_studio_tells_about_a_clip() -> None:
    said = [*meters.REASONS.values(), meters.NOT_MEASURED, meters.NOT_ASKED, meters.UNSURE.format(0.2)]
    said += [*tried.KINDS.values(), *tried.STOPPED.values(), *status.VERBS.values(), *status.NOUNS.values()]
    said += [*REASONS.values(), *(sentence for *_, sentence in VERDICTS)]
    said += [meters.compare_tempo(100, heard, 0.04)[0] for heard in (100, 200, 50, 130, 80)]
    said += [meters.compare_keys("C major", key)[0] for key in KEYS]
    assert _known(said) == []


def test_the_words_of_a_taste() -> None:
    said = [*NAMES, *GENRES, *LEADS.values(), GUESS]
    said += [word for words in (*DIRECTIONS.values(), *ADJECTIVES.values(), *PLACES.values()) for word in words]
    assert _known(said) == []
    assert _known([term for term in TERMS if term in NAMES]) == []


def test_timbres_have_names() -> None:
    assert _known({TimbrePoint("random", seed=seed).name for seed in range(1024)}) == []


@pytest.mark.parametrize(
    ("english", "told"),
    [
        ("Bb minor", "Bb 小调"),
        ("B♭ minor", "B♭ 小调"),
        ("1 bar", "1 小节"),
        ("tempo: must be from 60 to 180, not 500", "速度：必须在 60 到 180 之间，不能是 500"),
        ("Play Generate", "播放《Generate》"),
        ("jazz 62 %, pop 38 %", "爵士 62%、流行 38%"),
        (
            "Sunny pop is set. Open windows, clean guitar, four chords.",
            "已选“阳光流行”。敞开的窗，清音吉他，四个和弦。",
        ),
        ("an own title of somebody", None),
        ("", None),
    ],
)
def test_phrases_that_are_put_together(english: str, told: str | None) -> None:
    assert chinese(english) == told
