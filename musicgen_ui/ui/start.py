"""Start from a file: a MIDI file to accompany or continue, or a recording whose style the sliders move to."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from html import escape
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol

import gradio as gr
import numpy as np

from musicgen_ui.audio.decode import decode_upload
from musicgen_ui.engine.style_of_score import style_of_score
from musicgen_ui.errors import RequestError
from musicgen_ui.music.score import PARTS, Score
from musicgen_ui.style import GENRES, SLIDERS
from musicgen_ui.ui.files import KEPT_SECONDS
from musicgen_ui.ui.meters import pretty_key
from musicgen_ui.ui.rework import MORE_BARS, part_ticks
from musicgen_ui.ui.settings import from_style
from musicgen_ui.ui.song import LABEL, Song, open_song, song_html

if TYPE_CHECKING:
    from musicgen_ui.engine.match import Matched

LOG = logging.getLogger(__name__)

READING = '<p class="note">Reading the file…</p>'
LISTENING = '<p class="note">Listening to the recording…</p>'
BROKEN = "Something went wrong with this file. Nothing you had is lost; try another one."

MATCHED: Mapping[str, str] = MappingProxyType(
    {name: name for name in (*SLIDERS, "key", "metre")}
    | {f"genre_{name}": "genre" for name in GENRES}
    | {f"{part}_on": "parts" for part in PARTS}
)
"""Controls that a recording moves, and what has to be heard for that; instruments, effects and the rest stay."""


class Matcher(Protocol):
    """What hears the style of a recording, and reads that of notes: a Studio."""

    def measure(self, score: Score) -> Mapping[str, float]: ...

    def match(self, samples: np.ndarray, sample_rate: int) -> Matched: ...


@dataclass(frozen=True)
class Start:
    """The drawer's controls.

    Attributes:
        song: the MIDI file once it was read (Song or None).
        file: where it goes.
        song_note: what was found in it.
        like: moves the sliders to what the notes are.
        keep: parts to keep.
        accompany: writes the others.
        more: how many bars to add.
        go_on: adds them.
        recording: where a recording goes.
        match_note: what was heard in it.
    """

    song: gr.State
    file: gr.File
    song_note: gr.HTML
    like: gr.Button
    keep: gr.CheckboxGroup
    accompany: gr.Button
    more: gr.Slider
    go_on: gr.Button
    recording: gr.Audio
    match_note: gr.HTML


def start_controls() -> Start:
    """The drawer."""
    song = gr.State(None, time_to_live=KEPT_SECONDS)
    with gr.Accordion("Start from a file", open=False, elem_id="start"), gr.Row(elem_id="start-row"):
        with gr.Column(elem_classes="slot", min_width=0):
            gr.HTML("<p><b>Your MIDI file</b> gets an accompaniment, or goes on.</p>", elem_classes="lead-in")
            file = gr.File(label="MIDI file", show_label=False, elem_id="song", elem_classes="drop", height=84)
            song_note = gr.HTML("", elem_id="song-note")
            like = gr.Button("Move the sliders to it", size="sm", elem_id="like-song", min_width=0)
            keep = part_ticks("Keep these, write the others", "keep")
            accompany = gr.Button("Accompany", size="md", elem_id="accompany", elem_classes="makes", min_width=0)
            low, high, value = MORE_BARS
            more = gr.Slider(
                low, high, value, step=1, label="Continue by (bars)", elem_id="song-more", buttons=[], min_width=140
            )
            go_on = gr.Button("Continue", size="md", elem_id="continue-song", elem_classes="makes", min_width=0)
        with gr.Column(elem_classes="slot", min_width=0):
            gr.HTML("<p><b>A recording</b>: the sliders move to what is heard in it.</p>", elem_classes="lead-in")
            recording = gr.Audio(
                label="Recording to match", show_label=False, sources=["upload", "microphone"], type="filepath",
                elem_id="recording", elem_classes="recording", buttons=[],
                waveform_options=gr.WaveformOptions(show_recording_waveform=False),
            )  # fmt: skip
            match_note = gr.HTML("", elem_id="match-note")
    return Start(song, file, song_note, like, keep, accompany, more, go_on, recording, match_note)


def wire_start(start: Start, made: Mapping[str, Any], preset: gr.State, studio: Matcher, lane: str) -> None:
    """Connect the uploads; what the buttons do is the page's.

    Args:
        start: the drawer.
        made: control name to component, for MATCHED.
        preset: the chosen preset's slug, which a recording replaces.
        studio: hears recordings.
        lane: queue of what needs the processor.
    """
    queued = {
        "show_progress": "hidden", "trigger_mode": "always_last", "concurrency_limit": 1, "concurrency_id": lane,
        "api_visibility": "private",
    }  # fmt: skip
    quiet = {"api_visibility": "private", "queue": False, "show_progress": "hidden"}
    sliders = [*(made[name] for name in MATCHED), preset]
    start.file.upload(None, None, start.song_note, js=f"() => {json.dumps(READING)}")
    read = start.file.upload(_read, start.file, [start.song, start.song_note, start.keep, start.file], **queued)
    read.failure(None, None, start.song_note, js=f"() => {json.dumps(_alert(BROKEN))}")
    start.file.clear(lambda: (None, "", gr.update(value=[])), None, [start.song, start.song_note, start.keep], **quiet)
    start.like.click(partial(_like, studio), start.song, [*sliders, start.song_note], **quiet)
    start.recording.input(None, None, start.match_note, js=f"() => {json.dumps(LISTENING)}")
    heard = start.recording.input(
        partial(_heard, studio), start.recording,
        [*sliders, start.match_note, start.recording], **queued,
    )  # fmt: skip
    heard.failure(None, None, start.match_note, js=f"() => {json.dumps(_alert(BROKEN))}")
    start.recording.clear(lambda: "", None, start.match_note, **quiet)


def hear_style(studio: Matcher, path: str | Path | None) -> Matched:
    """The style of an uploaded recording; a longer one is heard from its start.

    Raises:
        RequestError: there is no file, or it is refused.
    """
    if not path:
        raise RequestError("recording", "there is no file")
    return studio.match(*decode_upload(Path(path), argument="recording", cut=True))


def api_match(studio: Matcher) -> Callable[[str], dict[str, Any]]:
    """The public endpoint ``/match`` over a Studio."""

    def match(file: str) -> dict[str, Any]:
        """Hear the style of a recording, for arguments of /generate that make more like it.

        Args:
            file: an audio file: WAV, FLAC, OGG, MP3 and the like.

        Returns:
            ``controls``: arguments of /generate; ``unheard``: names of what could not be told and has its default;
            ``genres``: the probability of every genre.
        """
        try:
            found = hear_style(studio, file)
        except RequestError as error:
            raise gr.Error(str(error), print_exception=False) from None
        except Exception as error:
            LOG.exception("matching failed")
            raise gr.Error(BROKEN, print_exception=False) from error
        controls = from_style(found.style)
        return {
            "controls": {name: controls[name] for name in MATCHED},
            "unheard": list(found.unheard),
            "genres": dict(found.genres),
        }

    return match


def _read(path: str | None) -> tuple[Any, ...]:
    """Song, note, ticks and file after an upload; one that is refused leaves the earlier song as it was."""
    if not path:
        return gr.skip(), gr.skip(), gr.skip(), gr.skip()
    try:
        song = open_song(path)
    except RequestError as error:
        return gr.skip(), _alert(str(error)), gr.skip(), None
    except Exception:
        LOG.exception("reading a MIDI file failed")
        return gr.skip(), _alert(BROKEN), gr.skip(), None
    return song, song_html(song), list(song.kept), gr.skip()


def _like(studio: Matcher, song: Any) -> tuple[Any, ...]:
    """Values of MATCHED, preset and note: the sliders as the notes of the file are."""
    if not isinstance(song, Song):
        return *[gr.skip()] * (len(MATCHED) + 1), _alert(f"{LABEL}: there is none yet; choose one first")
    score = song.music.score
    measured = studio.measure(score)
    controls = from_style(style_of_score(score, measured))
    values = [controls[name] if name in {*measured, "tempo", "key", "metre"} else gr.skip() for name in MATCHED]
    return *values, "", song_html(song)


def _heard(studio: Matcher, path: str | None) -> tuple[Any, ...]:
    """Values of MATCHED, preset, note and recording after an upload; one that is refused moves nothing."""
    stay = [gr.skip()] * len(MATCHED)
    if not path:
        return *stay, gr.skip(), gr.skip(), gr.skip()
    try:
        found = hear_style(studio, path)
    except RequestError as error:
        return *stay, gr.skip(), _alert(str(error)), None
    except Exception:
        LOG.exception("matching failed")
        return *stay, gr.skip(), _alert(BROKEN), None
    controls = from_style(found.style)
    values = [gr.skip() if what in found.unheard else controls[name] for name, what in MATCHED.items()]
    return *values, "", matched_html(found), gr.skip()


def matched_html(found: Matched) -> str:
    """What was heard, in a sentence."""
    style = found.style
    said = []
    if "tempo" not in found.unheard:
        said.append(f"{style.tempo:.0f} BPM")
    if "key" not in found.unheard:
        said.append(pretty_key(style.key))
    if style.genre:
        said.append(" and ".join(style.genre))
    if "parts" not in found.unheard:
        said.append(", ".join(style.active_parts))
    heard = f"Heard {', '.join(said)}. The sliders stand there now: press Generate to make more like it."
    left = [SLIDERS[name].name.lower() if name in SLIDERS else name for name in found.unheard]
    rest = f" Left as it was, because it could not be told: {', '.join(left)}." if left else ""
    return f'<p class="note">{escape(heard if said else "The sliders stand at what was heard.")}{escape(rest)}</p>'


def _alert(text: str) -> str:
    return f'<p class="note" role="alert">{escape(text)}</p>'
