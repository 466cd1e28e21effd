"""The left side of the page: every control a person can move, one component for each name in ``settings``."""

from __future__ import annotations

from dataclasses import dataclass

import gradio as gr

from musicgen_ui.music.form import ENDINGS, FORMS, FREE
from musicgen_ui.music.instruments import CHOICES
from musicgen_ui.music.score import METRES, PARTS
from musicgen_ui.music.theory import KEYS
from musicgen_ui.recipe import COMPOSERS, LIMITS, Recipe
from musicgen_ui.style import AUTO, EFFECTS, GENRES, PART_LEVELS, SLIDERS, Slider, Style
from musicgen_ui.ui.meters import pretty_key
from musicgen_ui.ui.presets import PRESETS
from musicgen_ui.ui.words import chinese

BARS = (4, 64, 4)
"""Lowest, highest and step of the length slider."""

DEFAULT_BARS = 16
DEFAULT_SEED = 7

COMPOSER_NAMES = {"lstm": "LSTM", "wavenet": "WaveNet"}
COMPOSER_HINTS = {
    "lstm": "carries a memory from step to step",
    "wavenet": "looks back over the last bars at once",
}
"""What tells the composers apart."""

FORM_NAMES = {FREE: "Free: as the composer likes", "verse-chorus": "Verse and chorus"}
ENDING_NAMES = {"close": "Comes to a close", "open": "Stays open", "loop": "Loops"}
ENDING_HINTS = {
    "close": "A cadence and a held last chord that dies away.",
    "open": "Stops after its last bar, in mid-flow.",
    "loop": "Leads back to its first bar: repeated without a gap, to the sample. The player repeats it.",
}

ANY_GENRE = '<div class="blend"><span class="any">Any genre: the composer chooses</span></div>'
"""The blend bar while all weights are zero; ``studio.js`` redraws it as sliders move."""

Components = dict[str, gr.components.Component]


@dataclass(frozen=True)
class SeedTools:
    """What stands beside the seed: a button that rolls a new one and a box that keeps the one shown."""

    dice: gr.Button
    lock: gr.Checkbox


def preset_buttons() -> dict[str, gr.Button]:
    """One chip for each preset, by slug."""
    gr.HTML("<h2>Start from</h2>", elem_classes="heading")
    with gr.Row(elem_id="presets"):
        return {
            slug: gr.Button(preset.name, size="sm", elem_id=f"preset-{slug}", elem_classes="chip", min_width=0)
            for slug, preset in PRESETS.items()
        }


def style_sliders() -> Components:
    """The eight style sliders in a grid."""
    gr.HTML("<h2>Style</h2>", elem_classes="heading")
    with gr.Row(elem_id="sliders", elem_classes="grid"):
        return {name: _slider(slider, getattr(Style(), name)) for name, slider in SLIDERS.items()}


def frame_controls() -> tuple[Components, SeedTools, gr.HTML]:
    """Key, metre, length and seed: (components, seed tools, note on the length)."""
    made: Components = {}
    low, high, step = BARS
    with gr.Row(elem_id="frame"):
        keys = [("Auto: from the mood", AUTO), *((pretty_key(key), key) for key in KEYS)]
        made["key"] = gr.Dropdown(keys, value=AUTO, label="Key", elem_id="key", min_width=120)
        made["metre"] = gr.Radio(list(METRES), value="4/4", label="Metre", elem_id="metre", min_width=110)
        made["bars"] = gr.Slider(
            low, high, DEFAULT_BARS, step=step, label="Length (bars)", elem_id="bars", buttons=["reset"]
        )
        length = gr.HTML(
            f'<p class="length">{DEFAULT_BARS * 4 * 60 / SLIDERS["tempo"].default:.0f} s</p>', elem_id="length"
        )
        with gr.Row(elem_id="seed-cell"):
            low, high = LIMITS["seed"]
            made["seed"] = gr.Number(
                DEFAULT_SEED, label="Seed", precision=0, minimum=low, maximum=high, elem_id="seed", min_width=80
            )
            dice = gr.Button("Roll", size="sm", elem_id="dice", min_width=0)
            lock = gr.Checkbox(False, label="Keep", elem_id="lock", container=False, min_width=0)
    return made, SeedTools(dice, lock), length


def genre_sliders() -> tuple[Components, gr.HTML]:
    """The blend as a small mixing desk, and the bar that shows it in percent: (components, bar)."""
    made: Components = {}
    bar = gr.HTML(ANY_GENRE, elem_id="blend")
    with gr.Accordion("Genre blend", open=False, elem_id="genres"):
        gr.HTML(
            "<p>Raise one genre or several: only the proportions count. All at zero leaves it open.</p>",
            elem_classes="hint",
        )
        with gr.Row(elem_id="genre-grid", elem_classes="grid"):
            for name in GENRES:
                made[f"genre_{name}"] = gr.Slider(
                    0, 100, 0, step=1, label=name.capitalize(), elem_id=f"genre_{name}", elem_classes="small",
                    buttons=["reset"], min_width=140,
                )  # fmt: skip
    return made, bar


def part_rows() -> Components:
    """Four rows: on or off, instrument, level."""
    made: Components = {}
    low, high = PART_LEVELS
    with gr.Accordion("Band: parts and instruments", open=False, elem_id="band"):
        for part in PARTS:
            with gr.Row(elem_id=f"part-{part}", elem_classes="part-row"):
                made[f"{part}_on"] = gr.Checkbox(
                    True, label=part.capitalize(), elem_id=f"{part}_on", container=False, min_width=90
                )
                made[f"{part}_instrument"] = gr.Dropdown(
                    [("Auto: fits the genre", AUTO), *((name.capitalize(), name) for name in CHOICES[part])],
                    value=AUTO, label=f"{part.capitalize()} {'kit' if part == 'drums' else 'instrument'}",
                    elem_id=f"{part}_instrument", min_width=150,
                )  # fmt: skip
                made[f"{part}_level"] = gr.Slider(
                    low, high, 0.0, step=0.5, label=f"{part.capitalize()} level (dB)", elem_id=f"{part}_level",
                    elem_classes="small", buttons=["reset"], min_width=140,
                )  # fmt: skip
    return made


def effect_sliders() -> Components:
    """The mixer's effects, all neutral at first."""
    with gr.Accordion("Effects", open=False, elem_id="effects"), gr.Row(elem_id="effects-grid", elem_classes="grid"):
        return {name: _slider(slider, slider.default) for name, slider in EFFECTS.items()}


def form_controls() -> tuple[Components, gr.HTML]:
    """Which sections there are, and how it begins and ends: (components, bar that shows the sections)."""
    made: Components = {}
    with gr.Accordion("Form: sections, intro, ending", open=False, elem_id="structure"):
        sections = gr.HTML(elem_id="sections")
        with gr.Row(elem_id="form-row", elem_classes="grid"):
            made["form"] = gr.Dropdown(
                [(FORM_NAMES.get(name, name), name) for name in FORMS], value=FORMS[0], label="Form", elem_id="form",
                min_width=150,
            )  # fmt: skip
            made["intro"] = gr.Checkbox(
                False, label="Begin with a short introduction", elem_id="intro", container=False, min_width=150
            )
        made["ending"] = gr.Radio(
            [(ENDING_NAMES[name], name) for name in ENDINGS], value=ENDINGS[0], label="How it ends", elem_id="ending",
            elem_classes="segments",
        )  # fmt: skip
        gr.HTML(
            "".join(f'<p data-ending="{name}">{hint}</p>' for name, hint in ENDING_HINTS.items()),
            elem_id="ending-hint", elem_classes="hint",
        )  # fmt: skip
    return made, sections


def correction_controls() -> Components:
    """How often the studio may hear its own clip and try again."""
    with gr.Accordion("Correct itself", open=False, elem_id="correct"):
        gr.HTML(
            "<p>The studio listens to the finished clip, leans the settings against what it missed, and tries again. "
            "The best take is kept, and below the clip you see what was tried. A round takes about as long as the "
            "first try at most; 0 switches it off.</p>",
            elem_classes="hint",
        )
        return {"rounds": _whole("rounds", "Rounds of correction", Recipe().rounds)}


def engine_controls() -> Components:
    """Which composer writes, and how many takes."""
    made: Components = {}
    with gr.Accordion("Advanced", open=False, elem_id="advanced"):
        with gr.Row():
            made["composer"] = gr.Dropdown(
                [(COMPOSER_NAMES[name], name) for name in COMPOSERS], value=COMPOSERS[0],
                label="Composer", info=composer_info(COMPOSERS), elem_id="composer", min_width=140,
            )  # fmt: skip
        with gr.Row(elem_classes="grid"):
            made["takes"] = _whole(
                "takes", "Takes", Recipe().takes, "Scores to write; the one closest to your sliders is kept."
            )
    return made


def composer_info(composers: tuple[str, ...]) -> str:
    """What a composer does, and where there is a choice, what it is between."""
    if len(composers) < 2:
        return "Writes the notes."
    return (
        "Writes the notes. " + "; ".join(f"{COMPOSER_NAMES[name]} {COMPOSER_HINTS[name]}" for name in composers) + "."
    )


def end_words_css() -> str:
    """The words at both ends of a unit slider (minor, major) in place of 0 and 1, in the page's language."""
    rules = []
    for name, slider in SLIDERS.items():
        left, dash, right = slider.unit.partition(" - ")
        if dash:
            for end, word in (("min", left), ("max", right)):
                rules.append(f'#{name} .{end}_value::after{{content:"{word}"}}')
                rules.append(f'html:lang(zh) #{name} .{end}_value::after{{content:"{chinese(word)}"!important}}')
            rules.append(f"#{name} .min_value,#{name} .max_value{{font-size:0}}")
    return "".join(rules)


def _slider(slider: Slider, value: float) -> gr.Slider:
    unit = "" if " - " in slider.unit or slider.unit in ("amount", "depth") else f" ({slider.unit.replace('x', '×')})"
    return gr.Slider(
        slider.low, slider.high, value, step=slider.step, label=slider.name + unit, info=slider.help,
        elem_id=slider.key, buttons=["reset"], min_width=160,
    )  # fmt: skip


def _whole(name: str, label: str, value: int, info: str | None = None) -> gr.Slider:
    low, high = LIMITS[name]
    return gr.Slider(low, high, value, step=1, label=label, info=info, elem_id=name, buttons=["reset"], min_width=160)
