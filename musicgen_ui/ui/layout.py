"""The page: controls on the left, the clip on the right; one column on a phone."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import partial
from typing import Any

import gradio as gr

from musicgen_ui.server.services import Services
from musicgen_ui.style import GENRES, SLIDERS
from musicgen_ui.ui import controls, status
from musicgen_ui.ui.dead_zones import zones_html
from musicgen_ui.ui.endpoints import wire_endpoints
from musicgen_ui.ui.engine import Engine
from musicgen_ui.ui.files import KEPT_SECONDS
from musicgen_ui.ui.handlers import Page
from musicgen_ui.ui.memory import wire_memory
from musicgen_ui.ui.orders import SEEDS
from musicgen_ui.ui.presets import PRESETS
from musicgen_ui.ui.rework import Bench, bench_controls
from musicgen_ui.ui.sections import sections_html
from musicgen_ui.ui.settings import PAGE_CONTROLS, STYLE_CONTROLS, from_style
from musicgen_ui.ui.start import Start, start_controls, wire_start
from musicgen_ui.ui.theme import STATIC
from musicgen_ui.ui.timbre import Panel, timbre_controls, wire_timbre

TITLE = "MusicGen UI"
ENGINE_LANE = "engine"
"""Everything that needs the processor shares this queue, one request at a time."""

WAITING_PLACES = 12
DELETE_EVERY = 600
"""Seconds between clean-ups."""

Outputs = dict[str, gr.components.Component]


@dataclass(frozen=True)
class Desk:
    """The left side.

    Attributes:
        made: control name to component, for every name in RECIPE_CONTROLS and PAGE_CONTROLS.
        chips: preset slug to its button.
        seed: the seed's dice and lock.
        length: note that says how long the clip will be.
        blend: bar that shows the genre blend.
        sections: bar that shows the form.
        zones: style sheet that hatches what the sliders do not reach.
        timbre: what the timbre panel shows.
        start: the drawer for files.
        generate: starts.
        four: makes several takes to compare.
        stop: stops.
    """

    made: controls.Components
    chips: dict[str, gr.Button]
    seed: controls.SeedTools
    length: gr.HTML
    blend: gr.HTML
    sections: gr.HTML
    zones: gr.HTML
    timbre: Panel
    start: Start
    generate: gr.Button
    four: gr.Button
    stop: gr.Button


def build(services: Services) -> gr.Blocks:
    """The page over a loaded Studio and a library; :func:`musicgen_ui.ui.site.site` serves it.

    Args:
        services: models, shelf and library.
    """
    studio = services.studio
    with gr.Blocks(
        title=TITLE, analytics_enabled=False, fill_width=True, delete_cache=(DELETE_EVERY, KEPT_SECONDS)
    ) as demo:
        preset = gr.State("")
        _own(_static("masthead"), "masthead")
        with gr.Column(elem_id="room-studio", elem_classes="room"), gr.Row(elem_id="studio", equal_height=False):
            with gr.Column(scale=5, min_width=320, elem_id="desk"):
                desk = _desk(studio.synths)
            with gr.Column(scale=7, min_width=320, elem_id="stage"):
                out, bench = _stage()
        for room in ("library", "foryou"):
            _own(f'<div id="{room}-app"></div>', f"room-{room}", "room")
        _own(_static("about"), "room-about", "room")
        _own('<div id="player-bar"></div>', "player-room")
        out["seed"] = desk.made["seed"]
        _wire_controls(desk, out, preset)
        wire_memory(demo, desk.made)
        _wire_notes(demo, desk, studio)
        wire_timbre(desk.made, desk.timbre, studio, SEEDS, ENGINE_LANE)
        wire_start(desk.start, desk.made, preset, studio, ENGINE_LANE)
        _wire_makers(desk, bench, out, preset, services)
        wire_endpoints(desk.made, services, ENGINE_LANE)
    demo.queue(max_size=WAITING_PLACES, default_concurrency_limit=1, api_open=False)
    return demo


def _own(html: str, elem_id: str, classes: str | None = None) -> None:
    """HTML of ours, without the look that Gradio gives to written text."""
    gr.HTML(html, elem_id=elem_id, elem_classes=classes, apply_default_css=False)


def _static(name: str) -> str:
    return (STATIC / f"{name}.html").read_text("utf-8")


def _desk(synths: tuple[str, ...]) -> Desk:
    with gr.Column(elem_classes="card"):
        chips = controls.preset_buttons()
    with gr.Column(elem_classes="card"):
        made = controls.style_sliders()
        frame, seed, length = controls.frame_controls()
    with gr.Column(elem_classes="card drawers"):
        genre, blend = controls.genre_sliders()
        made |= frame | genre | controls.part_rows()
        form, sections = controls.form_controls()
        sound, panel = timbre_controls(synths)
        made |= form | sound | controls.effect_sliders() | controls.correction_controls()
        start = start_controls()
        made |= controls.engine_controls()
    zones = gr.HTML(elem_id="zones")
    with gr.Row(elem_id="go"):
        generate = gr.Button(
            "Generate", variant="primary", elem_id="generate", elem_classes="makes", scale=4, min_width=160
        )
        four = gr.Button("4 takes", variant="secondary", elem_id="four", elem_classes="makes", scale=1, min_width=90)
        stop = gr.Button("Stop", variant="secondary", elem_id="stop", scale=1, min_width=80)
    return Desk(made, chips, seed, length, blend, sections, zones, panel, start, generate, four, stop)


def _stage() -> tuple[Outputs, Bench]:
    out: Outputs = {
        "made": gr.State(None, time_to_live=KEPT_SECONDS),
        "status": gr.HTML(status.ready(), elem_id="status"),
    }
    # Before the first clip the style sheet shows this one and hides the next: both are there for the page's modules.
    gr.HTML(_static("empty"), elem_id="empty")
    _own('<div id="takes-app"></div>', "takes-room")
    with gr.Column(elem_id="result"):
        with gr.Column(elem_classes="card"):
            out["heading"] = gr.HTML(elem_id="heading")
            _own('<div id="clip-actions"></div><div id="figures"></div><div id="mixer"></div>', "figures-room")
            out["downloads"] = gr.HTML(elem_id="downloads")
            _own('<div id="workbench"></div>', "workbench-room")
            bench = bench_controls()
        with gr.Column(elem_classes="card"):
            out["meters"] = gr.HTML(elem_id="meters")
            out["tried"] = gr.HTML(elem_id="tried")
    # What the page's modules read and press; nobody sees it.
    with gr.Column(elem_id="wires", elem_classes="sr"):
        out["clip"] = gr.HTML(elem_id="made-data")
        out["stream"] = gr.HTML(elem_id="stream-data")
    return out, bench


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


def _wire_notes(demo: gr.Blocks, desk: Desk, studio: Engine) -> None:
    """What the server draws beside the controls: the form's sections, and where sliders do nothing."""
    quiet = {"api_visibility": "private", "queue": False, "show_progress": "hidden"}

    def dead(composer: Any, synth: Any) -> str:
        response = studio.responses.of(composer, synth)
        return zones_html({name: response.dead_zones(name) for name in SLIDERS})

    for draw, names, note in (
        (sections_html, ("form", "bars", "intro", "ending"), desk.sections),
        (dead, ("composer", "synth"), desk.zones),
    ):
        followed = [desk.made[name] for name in names]
        raw = draw is sections_html  # it has a sentence for a value out of range, which is typed easily
        gr.on([demo.load, *(part.change for part in followed)], draw, followed, note, preprocess=not raw, **quiet)


def _pick(slug: str) -> list[Any]:
    chosen = PRESETS[slug]
    return [*from_style(chosen.style).values(), slug, status.picked(chosen.name, chosen.blurb)]


def _wire_makers(desk: Desk, bench: Bench, out: Outputs, preset: gr.State, services: Services) -> None:
    """Every button that makes a clip, and the one that stops them all."""
    page, start = Page(services, out), desk.start
    with gr.Column(elem_classes="sr"):
        person = gr.Textbox(visible="hidden", elem_id="person")
        request = gr.Textbox(visible="hidden", elem_id="request")
        other = gr.Button("Make", visible="hidden", elem_id="do-make")
    controls_now = [desk.made[name] for name in PAGE_CONTROLS]
    makers = (
        (desk.generate, page.press, [*controls_now, desk.seed.lock, preset], "signed"),
        (desk.four, page.four, [*controls_now, preset], "signed"),
        (bench.go_on, page.go_on, [*controls_now, out["made"], bench.more], "signed"),
        (bench.renew, page.renew, [*controls_now, out["made"], bench.first, bench.last, bench.parts], "signed"),
        (start.accompany, page.accompany, [*controls_now, start.song, start.keep], "signed"),
        (start.go_on, page.go_on_from_file, [*controls_now, start.song, start.more], "signed"),
        (other, page.make, [request], "order"),
    )
    restore = gr.Button("Restore", visible="hidden", elem_id="do-restore")
    restore.click(
        page.restore, request, [*controls_now, desk.seed.lock, out["status"]], js="() => window.studio.outbox",
        api_visibility="private", queue=False, show_progress="hidden",
    )  # fmt: skip
    wait = f"() => window.studio.waiting({json.dumps(status.waiting())})"
    # A cancelled event counts as failed once the server has let go of it: only then is it true that it stopped.
    end = f"() => window.studio.ended({json.dumps(status.stopped())}, {json.dumps(status.unreachable())})"
    runs = []
    for button, make, inputs, fill in makers:
        button.click(None, None, out["status"], js=wait)
        run = button.click(
            make,
            [*inputs, person],
            list(out.values()),
            js=f"(...values) => window.studio.{fill}(...values)",
            preprocess=False,  # raw values, so that Style and Recipe give the one sentence for whatever is wrong
            show_progress="minimal",
            show_progress_on=out["status"],
            trigger_mode="once",
            concurrency_limit=1,
            concurrency_id=ENGINE_LANE,
            api_visibility="private",
            api_name=f"page_{button.elem_id}",  # so that the public endpoints keep their plain names
        )
        run.failure(None, None, out["status"], js=end)
        runs.append(run)
    halt = f"() => window.studio.stopping({json.dumps(status.stopping())})"
    desk.stop.click(None, None, out["status"], js=halt, cancels=runs)
