"""The page: controls on the left, the clip on the right; one column on a phone."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import partial
from typing import Any

import gradio as gr

from musicgen_ui.style import GENRES
from musicgen_ui.ui import controls, status
from musicgen_ui.ui.handlers import SEEDS, Engine, Page, api_generate
from musicgen_ui.ui.presets import PRESETS
from musicgen_ui.ui.settings import PAGE_CONTROLS, RECIPE_CONTROLS, STYLE_CONTROLS, from_style
from musicgen_ui.ui.theme import STATIC
from musicgen_ui.ui.timbre import Panel, api_borrow, timbre_controls, wire_timbre

TITLE = "MusicGen UI"
ENGINE_LANE = "engine"
"""Everything that needs the processor shares this queue, one request at a time."""

WAITING_PLACES = 12
DELETE_EVERY, DELETE_AFTER = 600, 3600
"""Seconds between clean-ups, and age at which a clip's files go."""

DOWNLOADS = {"wav": "WAV", "midi": "MIDI", "stems": "Stems (zip)", "recipe": "Recipe (JSON)"}

Outputs = dict[str, gr.components.Component | gr.Column]


@dataclass(frozen=True)
class Desk:
    """The left side.

    Attributes:
        made: control name to component, for every name in RECIPE_CONTROLS and PAGE_CONTROLS.
        chips: preset slug to its button.
        seed: the seed's dice and lock.
        length: note that says how long the clip will be.
        blend: bar that shows the genre blend.
        timbre: what the timbre panel shows.
        generate: starts.
        stop: stops.
    """

    made: controls.Components
    chips: dict[str, gr.Button]
    seed: controls.SeedTools
    length: gr.HTML
    blend: gr.HTML
    timbre: Panel
    generate: gr.Button
    stop: gr.Button


def build(studio: Engine) -> gr.Blocks:
    """The page over a loaded Studio; open it with ``launch(**launch_options())``.

    Args:
        studio: anything with ``synths``, ``generate(recipe, hook) -> Result`` and
            ``borrow(samples, rate) -> TimbrePoint``.
    """
    with gr.Blocks(
        title=TITLE, analytics_enabled=False, fill_width=True, delete_cache=(DELETE_EVERY, DELETE_AFTER)
    ) as demo:
        preset = gr.State("")
        gr.HTML((STATIC / "masthead.html").read_text("utf-8"), elem_id="masthead")
        with gr.Row(elem_id="studio", equal_height=False):
            with gr.Column(scale=5, min_width=320, elem_id="desk"):
                desk = _desk(studio.synths)
            with gr.Column(scale=7, min_width=320, elem_id="stage"):
                out = _stage()
        out["seed"] = desk.made["seed"]
        _wire_controls(desk, out, preset)
        wire_timbre(desk.made, desk.timbre, studio, SEEDS, ENGINE_LANE)
        _wire_generate(desk, out, preset, studio)
        _wire_api(desk, studio)
    demo.queue(max_size=WAITING_PLACES, default_concurrency_limit=1, api_open=False)
    return demo


def _desk(synths: tuple[str, ...]) -> Desk:
    with gr.Column(elem_classes="card"):
        chips = controls.preset_buttons()
    with gr.Column(elem_classes="card"):
        made = controls.style_sliders()
        frame, seed, length = controls.frame_controls()
    with gr.Column(elem_classes="card drawers"):
        genre, blend = controls.genre_sliders()
        made |= frame | genre | controls.part_rows()
        sound, panel = timbre_controls(synths)
        made |= sound | controls.effect_sliders() | controls.engine_controls()
    with gr.Row(elem_id="go"):
        generate = gr.Button("Generate", variant="primary", elem_id="generate", scale=4, min_width=160)
        stop = gr.Button("Stop", variant="secondary", elem_id="stop", scale=1, min_width=80)
    return Desk(made, chips, seed, length, blend, panel, generate, stop)


def _stage() -> Outputs:
    out: Outputs = {
        "status": gr.HTML(status.ready(), elem_id="status"),
        "empty": gr.HTML((STATIC / "empty.html").read_text("utf-8"), elem_id="empty"),
    }
    with gr.Column(visible=False, elem_id="result") as out["result"]:
        with gr.Column(elem_classes="card"):
            out["heading"] = gr.HTML(elem_id="heading")
            # Gradio's own waveform hides the audio element and shares no time axis with the figures: we draw ours.
            plain = gr.WaveformOptions(show_recording_waveform=False)
            out["player"] = gr.Audio(
                label="Clip", interactive=False, autoplay=True, buttons=[], elem_id="player", waveform_options=plain
            )
            for name in ("waveform", "roll", "spectrogram"):
                out[name] = gr.HTML(elem_id=name)
            with gr.Row(elem_id="downloads"):
                for name, label in DOWNLOADS.items():
                    out[name] = gr.DownloadButton(label, size="md", elem_id=f"download-{name}", min_width=100)
        with gr.Column(elem_classes="card"):
            out["meters"] = gr.HTML(elem_id="meters")
    return out


def _wire_controls(desk: Desk, out: Outputs, preset: gr.State) -> None:
    """Presets, dice, and the two notes that follow the sliders in the browser alone."""
    style = [desk.made[name] for name in STYLE_CONTROLS]
    for slug, chip in desk.chips.items():
        chip.click(
            partial(_pick, slug), None, [*style, preset, out["status"]],
            api_visibility="private", queue=False, show_progress="hidden",
        )  # fmt: skip
    roll = f"() => Math.floor(Math.random() * {SEEDS})"
    desk.seed.dice.click(None, None, desk.made["seed"], js=roll)
    genres = [desk.made[f"genre_{name}"] for name in GENRES]
    draw = f"(...weights) => window.studio.blend({list(GENRES)}, weights)"
    gr.on([slider.change for slider in genres], None, genres, desk.blend, js=draw)
    timing = [desk.made[name] for name in ("tempo", "bars", "metre", "speed")]
    tell = "(...values) => window.studio.length(...values)"
    gr.on([part.change for part in timing], None, timing, desk.length, js=tell)


def _pick(slug: str) -> list[Any]:
    chosen = PRESETS[slug]
    return [*from_style(chosen.style).values(), slug, status.picked(chosen.name, chosen.blurb)]


def _wire_generate(desk: Desk, out: Outputs, preset: gr.State, studio: Engine) -> None:
    wait = f"() => window.studio.waiting({json.dumps(status.waiting())})"
    desk.generate.click(None, None, out["status"], js=wait)
    run = desk.generate.click(
        Page(studio, out).press,
        [*(desk.made[name] for name in PAGE_CONTROLS), desk.seed.lock, preset],
        list(out.values()),
        preprocess=False,  # raw values, so that Style and Recipe give the one sentence for whatever is wrong
        show_progress="minimal",
        show_progress_on=out["status"],
        trigger_mode="once",
        concurrency_limit=1,
        concurrency_id=ENGINE_LANE,
        api_visibility="private",
    )
    halt = f"() => window.studio.stopping({json.dumps(status.stopping())})"
    desk.stop.click(None, None, out["status"], js=halt, cancels=[run])
    # A cancelled event counts as failed once the server has let go of it: only then is it true that it stopped.
    end = f"() => window.studio.ended({json.dumps(status.stopped())}, {json.dumps(status.unreachable())})"
    run.failure(None, None, out["status"], js=end)


def _wire_api(desk: Desk, studio: Engine) -> None:
    """The same engine for programs: public endpoints with named arguments."""
    files = [gr.File(label=label, visible=False) for label in ("clip.wav", "clip.mid", "clip.json", "stems.zip")]
    gr.Button(visible=False).click(
        api_generate(studio),
        inputs_kwargs={name: desk.made[name] for name in RECIPE_CONTROLS},
        outputs=files,
        preprocess=False,
        concurrency_limit=1,
        concurrency_id=ENGINE_LANE,
        api_name="generate",
    )
    recording = gr.File(label="recording", visible=False)
    gr.Button(visible=False).click(
        api_borrow(studio),
        recording,
        gr.JSON(label="point", visible=False),
        concurrency_limit=1,
        concurrency_id=ENGINE_LANE,
        api_name="borrow_timbre",
    )
