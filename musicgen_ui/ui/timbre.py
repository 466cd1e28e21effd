"""The timbre panel: two slots, a morph between them, and pictures of where in the space of timbres they are."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from html import escape
from pathlib import Path
from typing import Any, Protocol

import gradio as gr
import numpy as np

from musicgen_ui.audio.decode import decode_upload
from musicgen_ui.errors import RequestError
from musicgen_ui.recipe import TIMBRE_SYNTHS
from musicgen_ui.timbre import TIMBRE_PARTS, TimbrePoint
from musicgen_ui.ui.settings import SLOTS, from_timbre, slot_point
from musicgen_ui.ui.values import json_value

LOG = logging.getLogger(__name__)

SYNTH_NAMES = {"vaegan": "Neural VAE-GAN", "soundfont": "Sampled SoundFont", "wavenet": "Raw WaveNet"}
SYNTH_HINTS = {
    "soundfont": "Sampled instruments sound as they were recorded: there is no timbre to change.",
    "wavenet": "The classic: it writes the lead and the bass one sample after another, at 16 kHz. Expect it to be "
    "slower and noisier than the neural VAE-GAN, which plays chords and drums here. There is no timbre to change.",
}
"""What to expect of a synthesizer without timbres."""

KIND_NAMES = {"own": "Own", "random": "Random", "recorded": "Recording"}

LIMIT = 3.0
"""Bars of the picture end here: the prior's own draws hardly ever reach further."""

HEIGHT = 48
MISSING = "No recording yet"
HEARING = '<p class="note">Listening to the recording…</p>'
BROKEN = "Something went wrong while listening to the recording. Nothing you had is lost; try another one."

Components = dict[str, gr.components.Component]


class Borrower(Protocol):
    """What the panel needs of a Studio."""

    synths: tuple[str, ...]

    def borrow(self, samples: np.ndarray, sample_rate: int) -> TimbrePoint: ...


@dataclass(frozen=True)
class Panel:
    """What the panel shows beside its controls; each dict by slot.

    Attributes:
        card: picture and name.
        dice: button that rolls a random timbre.
        file: where a recording goes.
        note: what became of the last recording.
        morph: picture of the mixture.
        reset: back to the instruments' own timbre.
    """

    card: dict[str, gr.HTML]
    dice: dict[str, gr.Button]
    file: dict[str, gr.Audio]
    note: dict[str, gr.HTML]
    morph: gr.HTML
    reset: gr.Button


def timbre_controls(synths: tuple[str, ...]) -> tuple[Components, Panel]:
    """The drawer: which synthesizer plays, and where the neural one plays.

    Args:
        synths: names of the synthesizers that are loaded, the default first.
    """
    made: Components = {}
    with gr.Accordion("Sound: synthesizer and timbre", open=False, elem_id="sound"):
        made["synth"] = gr.Radio(
            [(SYNTH_NAMES[name], name) for name in synths], value=synths[0], label="Synthesizer", elem_id="synth",
            elem_classes="segments",
        )  # fmt: skip
        gr.HTML(hints_html(synths), elem_id="fixed", elem_classes="hint")
        with gr.Column(elem_id="timbre"):
            gr.HTML(
                "<p>Every instrument has a timbre of its own. Roll another, borrow one from a recording, and morph "
                "between two of them.</p>",
                elem_classes="hint",
            )
            slots: dict[str, dict[str, Any]] = {"card": {}, "dice": {}, "file": {}, "note": {}}
            with gr.Row(elem_id="slots"):
                for slot in SLOTS:
                    made |= _slot(slot, slots)
            with gr.Row(elem_id="morph-row"):
                made["timbre_morph"] = gr.Slider(
                    0, 100, 0, step=1, label="Morph (%)", elem_id="timbre_morph",
                    buttons=["reset"], min_width=160,
                )  # fmt: skip
                morph = gr.HTML(morph_html(), elem_id="morph")
            with gr.Row(elem_id="timbre-parts"):
                gr.HTML("<p>Play it on</p>")
                for part in TIMBRE_PARTS:
                    made[f"timbre_{part}"] = gr.Checkbox(
                        True, label=part.capitalize(), elem_id=f"timbre_{part}", container=False, min_width=70
                    )
                reset = gr.Button("Reset timbre", size="sm", elem_id="timbre-reset", min_width=0)
            made["timbre"] = json_value({}, label="Timbre")
    return made, Panel(**slots, morph=morph, reset=reset)


def _slot(slot: str, slots: dict[str, dict[str, Any]]) -> Components:
    made: Components = {}
    name, seed = slot.upper(), from_timbre()[f"timbre_{slot}_seed"]
    with gr.Column(elem_id=f"slot-{slot}", elem_classes="slot", min_width=0):
        slots["card"][slot] = gr.HTML(card_html(slot, "own", seed, ""), elem_id=f"timbre_{slot}_card")
        made[f"timbre_{slot}_kind"] = gr.Radio(
            [(label, kind) for kind, label in KIND_NAMES.items()], value="own", label=f"Timbre {name}",
            show_label=False, elem_id=f"timbre_{slot}_kind", elem_classes="segments", container=False,
        )  # fmt: skip
        slots["dice"][slot] = gr.Button(
            f"Roll another {name}", size="sm", elem_id=f"timbre_{slot}_dice", elem_classes="dice", min_width=0
        )
        slots["file"][slot] = gr.Audio(
            label=f"Recording for {name}", show_label=False, sources=["upload", "microphone"], type="filepath",
            elem_id=f"timbre_{slot}_file", elem_classes="recording", buttons=[],
            waveform_options=gr.WaveformOptions(show_recording_waveform=False),
        )  # fmt: skip
        slots["note"][slot] = gr.HTML("", elem_id=f"timbre_{slot}_note")
        made[f"timbre_{slot}_seed"] = gr.Number(seed, visible="hidden", label=f"Seed of timbre {name}")
        made[f"timbre_{slot}_z"] = gr.Textbox("", visible="hidden", label=f"Recorded timbre {name}")
    return made


def wire_timbre(made: Components, panel: Panel, studio: Borrower, seeds: int, lane: str) -> None:
    """Connect the panel.

    Args:
        made: its controls.
        panel: the rest of it.
        studio: hears the timbre of recordings.
        seeds: rolled seeds are below this.
        lane: queue of what needs the processor.
    """
    quiet = {"api_visibility": "private", "queue": False, "show_progress": "hidden"}
    cards = list(panel.card.values())
    for slot in SLOTS:
        kind, seed, z = point = [made[f"timbre_{slot}_{name}"] for name in ("kind", "seed", "z")]
        card, note, file = panel.card[slot], panel.note[slot], panel.file[slot]
        gr.on([part.change for part in point], partial(card_html, slot), point, card, **quiet)
        panel.dice[slot].click(None, None, seed, js=f"() => Math.floor(Math.random() * {seeds})")
        file.input(None, None, note, js=f"() => {json.dumps(HEARING)}")
        heard = file.input(
            partial(_borrowed, studio), file, [z, kind, note, file], show_progress="hidden", trigger_mode="always_last",
            concurrency_limit=1, concurrency_id=lane, api_visibility="private",
        )  # fmt: skip
        heard.failure(None, None, note, js=f"() => {json.dumps(_alert(BROKEN))}")
        file.clear(lambda: ("", ""), None, [z, note], **quiet)
    mixed = [made["timbre_morph"], *cards]
    draw = "(share, a, b) => window.studio.morph(share / 100, a, b)"
    gr.on([part.change for part in mixed], None, mixed, panel.morph, js=draw)
    initial = from_timbre()
    panel.reset.click(
        lambda: [*initial.values(), *[""] * len(SLOTS), *[None] * len(SLOTS)], None,
        [*(made[name] for name in initial), *panel.note.values(), *panel.file.values()], **quiet,
    )  # fmt: skip


def borrow(studio: Borrower, path: str | Path | None) -> TimbrePoint:
    """The timbre of an uploaded file; a longer one is heard from its start.

    Raises:
        RequestError: there is no file, or it is refused.
    """
    if not path:
        raise RequestError("recording", "there is no file")
    return studio.borrow(*decode_upload(Path(path), argument="recording", cut=True))


def api_borrow(studio: Borrower) -> Callable[[str], dict[str, Any]]:
    """The public endpoint ``/borrow_timbre`` over a Studio."""

    def borrow_timbre(file: str) -> dict[str, Any]:
        """Hear the timbre of a recording.

        Args:
            file: an audio file: WAV, FLAC, OGG, MP3 and the like.

        Returns:
            A point for the fields ``a`` and ``b`` of the argument ``timbre`` of /generate.
        """
        try:
            return borrow(studio, file).to_dict()
        except RequestError as error:
            raise gr.Error(str(error), print_exception=False) from None
        except Exception as error:
            LOG.exception("borrowing a timbre failed")
            raise gr.Error(BROKEN, print_exception=False) from error

    return borrow_timbre


def _borrowed(studio: Borrower, path: str | None) -> tuple[Any, ...]:
    """z, kind, note and file after an upload; a file that is refused leaves the timbre as it was."""
    if not path:
        return gr.skip(), gr.skip(), "", gr.skip()
    try:
        point = borrow(studio, path)
    except RequestError as error:
        return gr.skip(), gr.skip(), _alert(str(error)), None
    except Exception:
        LOG.exception("borrowing a timbre failed")
        return gr.skip(), gr.skip(), _alert(BROKEN), None
    return point.to_dict()["z"], "recorded", "", gr.skip()


def card_html(slot: str, kind: Any, seed: Any, z: Any) -> str:
    """Name and picture of a slot; ``data-z`` is what the morph's picture is drawn from."""
    try:
        point, problem = slot_point(kind, seed, z), ""
    except RequestError as error:
        point, problem = TimbrePoint(), str(error)
    values = {"own": np.zeros(32), "random": point.noise(), "recorded": point.z}[point.kind]
    name = problem or (MISSING if kind == "recorded" and point.kind == "own" else point.name)
    detail = f"<small>{point.seed}</small>" if point.kind == "random" else ""
    numbers = json.dumps([round(float(value), 2) for value in values])
    return (
        f'<div class="timbre-card {slot}" data-z="{numbers}"><p><b>{slot.upper()}</b> <span>{escape(name)}</span>'
        f"{detail}</p>{bars_svg([float(value) for value in values])}</div>"
    )


def morph_html() -> str:
    """The mixture before anything moved; ``studio.js`` redraws it."""
    return f'<div class="timbre-card mix"><p>Only A sounds</p>{bars_svg([0.0] * 32)}</div>'


def bars_svg(values: list[float]) -> str:
    """One bar a number, up or down from the middle; a number beyond LIMIT fills its half."""
    half, step = HEIGHT / 2, 10
    bars = []
    for i, value in enumerate(values):
        height = max(1.0, min(1.0, abs(value) / LIMIT) * (half - 1))
        top = half - height if value >= 0 else half
        bars.append(f'<rect x="{i * step + 2}" y="{top:.1f}" width="6" height="{height:.1f}"/>')
    width = len(values) * step
    return f'<svg viewBox="0 0 {width} {HEIGHT}" preserveAspectRatio="none" aria-hidden="true">{"".join(bars)}</svg>'


def hints_html(synths: tuple[str, ...]) -> str:
    """A paragraph for each synthesizer without timbres; ``studio.css`` shows that of the chosen one."""
    neural = [SYNTH_NAMES[name] for name in synths if name in TIMBRE_SYNTHS]
    invitation = f" Choose {' or '.join(neural)} to explore timbres." if neural else ""
    return "".join(
        f'<p data-synth="{name}">{SYNTH_HINTS[name]}{invitation}</p>' for name in synths if name in SYNTH_HINTS
    )


def _alert(text: str) -> str:
    return f'<p class="note" role="alert">{escape(text)}</p>'
