"""A picture of what the synthesizer makes: log-frequency spectrograms of the same notes side by side."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from musicgen_ui.audio.spectral import magnitudes
from musicgen_ui.audio.waveform import SAMPLE_RATE
from musicgen_ui.errors import RequestError
from musicgen_ui.training.line_passages import LinePassages
from musicgen_ui.training.rendered import RenderedFolder, RenderedTimbre, Stem
from musicgen_ui.training.synth_metrics import Spectra, distances, level_matched
from musicgen_ui.training.synth_player import NEUTRAL, Player, has_timbres

WANTED = (0, 24, 48, 56, 33, 73, 65, 4)
"""Programs to show, the first of these that are there: piano, guitar, strings, trumpet, bass, flute, sax, e-piano."""

PITCHED = 4
SECONDS = 3
N_FFT = 4096
HOP = 256
RANGE_DB = 70.0
LOWEST_HZ, HIGHEST_HZ = 40.0, 16_000.0
ROWS = 320
TICKS_HZ = {100: "100", 1000: "1k", 10_000: "10k"}


def shown_timbres(folder: RenderedFolder | LinePassages, player: Player) -> list[RenderedTimbre]:
    """Four instruments and a kit that training has seen, as different as the folder allows."""
    known = [t for t in folder.timbres if t.seen and t.variant == 0]
    pitched = {t.program: t for t in known if not t.drums and t.program in player.programs}
    kits = [t for t in known if t.drums and t.program in player.kits]
    order = [p for p in WANTED if p in pitched] + [p for p in sorted(pitched) if p not in WANTED]
    return [pitched[p] for p in order[:PITCHED]] + sorted(kits, key=lambda t: t.program)[:1]


def log_spectrogram(samples: np.ndarray) -> np.ndarray:
    """(ROWS, frames) dB at log-spaced frequencies from LOWEST_HZ to HIGHEST_HZ."""
    magnitude = magnitudes(samples, n_fft=N_FFT, hop=HOP)
    edges = np.geomspace(LOWEST_HZ, HIGHEST_HZ, ROWS + 1) * N_FFT / SAMPLE_RATE
    centres = np.sqrt(edges[:-1] * edges[1:])
    below = np.floor(centres).astype(int)
    rows = magnitude[below] + (centres - below)[:, None] * (magnitude[below + 1] - magnitude[below])
    for row, (low, high) in enumerate(zip(np.ceil(edges[:-1]).astype(int), edges[1:].astype(int) + 1, strict=True)):
        if high > low:  # A row that spans several bins shows the strongest: partials must not fall between rows.
            rows[row] = magnitude[low:high].max(axis=0)
    return 20.0 * np.log10(np.maximum(rows, 1e-9))


def busiest(stem: Stem, length: int) -> Stem:
    """The ``length`` samples from which most notes start, cut where a note begins."""
    starts = np.array(sorted(note.start for note in stem.notes))
    latest = stem.samples.size - length
    if latest <= 0 or not starts.size:
        return stem.cropped(length)
    places = [0, *(int(start) for start in starts if start <= latest)]
    counts = [((starts >= place) & (starts < place + length)).sum() for place in places]
    first = places[int(np.argmax(counts))]
    return Stem(stem.timbre, stem.passage, stem.notes, stem.samples[first : first + length])


def draw_figure(path: Path, folder: RenderedFolder | LinePassages, player: Player, *, seed: int = 0) -> None:
    """Writes a PNG: a row an instrument; from left to right SoundFont, model, and the note level of one that has it.

    Raises:
        RequestError: there is nothing to draw, or the file cannot be written.
    """
    rows = []
    for timbre in shown_timbres(folder, player):
        passages = folder.passages(timbre, ("test",))[:1]
        rows += [(stem, _sounds(stem, player, seed)) for stem in folder.stems(timbre, passages)]
    if not rows:
        raise RequestError("--figure", f"{folder.path} holds no test passage of a preset that the synthesizer knows")
    titles = ("SoundFont", "VAE-GAN", "VAE-GAN, note level only") if has_timbres(player) else ("SoundFont", "generated")
    figure = Figure(figsize=(9.6, 0.9 + 1.55 * len(rows)), dpi=130, layout="constrained")
    axes = figure.subplots(len(rows), len(titles), sharex=True, sharey=True, squeeze=False)
    for (stem, sounds), line in zip(rows, axes, strict=True):
        _draw_row(stem, sounds, line)
    for axis, title in zip(axes[0], titles, strict=True):
        axis.set_title(title, fontsize=13)
    figure.supxlabel("seconds", fontsize=11)
    figure.supylabel("Hz", fontsize=11)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, format="png", pil_kwargs={"optimize": True})
    except OSError as error:
        raise RequestError("--figure", f"{path} cannot be written ({error.strerror or error})") from None


def _sounds(stem: Stem, player: Player, seed: int) -> list[np.ndarray]:
    levels = (True, False) if has_timbres(player) else (True,)
    played = [
        player.play(
            stem.notes, *stem.timbre.preset, stem.samples.size,
            labels=NEUTRAL, z=None, stem_level=level, known=True, seed=seed,
        )
        for level in levels
    ]  # fmt: skip
    return [stem.samples, *(level_matched(sound, stem.samples)[0] for sound in played)]


def _draw_row(stem: Stem, sounds: Sequence[np.ndarray], axes: Sequence) -> None:
    length = SECONDS * SAMPLE_RATE
    cut = [busiest(Stem(stem.timbre, stem.passage, stem.notes, sound), length).samples for sound in sounds]
    reference = Spectra.of(cut[0])
    pictures = [log_spectrogram(samples) for samples in cut]
    top = float(pictures[0].max())
    for axis, samples, picture in zip(axes, cut, pictures, strict=True):
        axis.imshow(
            picture,
            origin="lower",
            aspect="auto",
            cmap="magma",
            vmin=top - RANGE_DB,
            vmax=top,
            extent=(0.0, SECONDS, np.log10(LOWEST_HZ), np.log10(HIGHEST_HZ)),
            interpolation="bilinear",
        )
        axis.set_yticks(np.log10(list(TICKS_HZ)), list(TICKS_HZ.values()), fontsize=10)
        axis.tick_params(axis="x", labelsize=10)
        if samples is not cut[0]:
            convergence = distances(reference, Spectra.of(samples))["spectral convergence"]
            axis.text(0.98, 0.95, f"SC {convergence:.2f}", color="white", fontsize=10, ha="right", va="top",
                      transform=axis.transAxes)  # fmt: skip
    axes[0].text(0.02, 0.95, stem.timbre.name, color="white", fontsize=11, weight="bold", va="top",
                 transform=axes[0].transAxes)  # fmt: skip
