"""A clip as numbers that a taste may hang on: what was asked, what is heard, the band, and the colour of the sound.

Every number is zero where it says nothing and about one in spread over clips from everywhere, so that a weight means
the same at each of them and what is unknown speaks neither for nor against.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from musicgen_ui.audio.genre_features import N_MFCC, SAMPLE_RATE, timbre_features
from musicgen_ui.audio.spectral import mono
from musicgen_ui.audio.waveform import resample
from musicgen_ui.music.instruments import FAMILIES, GM_NAMES
from musicgen_ui.music.score import PARTS
from musicgen_ui.music.theory import KEYS, key_is_minor
from musicgen_ui.recipe import Recipe
from musicgen_ui.style import AUTO, GENRES, SLIDERS, Style
from musicgen_ui.timbre import Z_SIZE, Timbre

HEARD_SHARE = {
    "tempo": 0.0, "mood": 0.45, "energy": 0.05, "density": 0.1, "syncopation": 0.1, "complexity": 0.2,
    "brightness": 0.8, "space": 0.8,
}  # fmt: skip
"""How far what is heard of a slider is believed against what was asked: by the variance of each about the notes' own
values. Tempo is obeyed exactly; colour and room exist in the sound only."""

GENRE_HEARD_SHARE = 0.5
"""How far the heard genre is believed against the name."""

LARGEST = 5.0
"""Magnitude of any number at most."""

SOUND_SIZE, TIMBRE_SIZE = 5, 4
"""Projections of the colour of the sound, and of the timbre's z."""

SHORT = ("piano", "mallets", "organ", "guitar", "bass", "strings", "ensemble", "brass", "reeds", "pipes", "synth lead",
         "synth pad", "synth effects", "ethnic", "percussive", "effects")  # fmt: skip
"""What the families are called here, in the order of FAMILIES."""

_HEARD_FAMILIES = tuple(i for i, name in enumerate(FAMILIES) if name not in ("bass", "synth effects", "sound effects"))
_ELECTRONIC = ("electronic kit", "808 kit", "synth bass 1", "synth bass 2")
_SPREAD = 0.27
_GENRE_SPREAD = 0.26
_FAMILY_SPREAD = 0.35
_RARE_SPREAD = 0.35

_COLOUR_MEAN = np.array([-350.1, 84.7, -9.0, 19.3, -0.9, 2.8, -3.3, -0.3, -3.0, -1.7, -4.6, 0.8, -0.9, -0.6, -1.9, 0.4])
_COLOUR_SPREAD = np.array([60.9, 29.3, 17.2, 11.0, 9.5, 6.5, 6.4, 5.6, 5.7, 4.9, 4.8, 4.7, 4.3, 4.3, 3.9, 3.8])
# Over 400 clips from everywhere.

BLOCKS: dict[str, tuple[str, ...]] = {
    "sliders": tuple(SLIDERS),
    "genre": GENRES,
    "heard genre": tuple(f"{genre} in the sound" for genre in GENRES),
    "mode": ("minor key",),
    "metre": ("3/4 time",),
    "lead": tuple(f"{SHORT[i]} in the lead" for i in _HEARD_FAMILIES),
    "chords": tuple(f"{SHORT[i]} in the chords" for i in _HEARD_FAMILIES),
    "band": (*(f"{part}" for part in PARTS), "electronic drums and bass"),
    "effects": ("vibrato", "noise", "drive", "tape speed"),
    "synth": ("sampled instruments", "raw WaveNet"),
    "sound": tuple(f"colour {i + 1}" for i in range(SOUND_SIZE)),
    "timbre": tuple(f"timbre {i + 1}" for i in range(TIMBRE_SIZE)),
}
"""Block to the names of its numbers, in the order of every feature vector."""

NAMES: tuple[str, ...] = tuple(name for block in BLOCKS.values() for name in block)
SIZE = len(NAMES)

_ENDS = np.cumsum([0, *map(len, BLOCKS.values())]).tolist()
_PLACES = {name: slice(begin, end) for name, begin, end in zip(BLOCKS, _ENDS[:-1], _ENDS[1:], strict=True)}


def block(name: str) -> slice:
    """Where a block lies in a feature vector."""
    return _PLACES[name]


def clip_features(clip: Mapping[str, Any], sound: Sequence[float] | None = None) -> np.ndarray:
    """The numbers of a clip that exists.

    Args:
        clip: ClipInfo, or the traits of an event: ``recipe`` (or ``style``), ``heard``, ``parts``, ``key`` and
            ``origin`` are read, as far as they are there; ``heard`` may hold ``genres``, the share of each.
        sound: its :func:`sound_of`, where that is known.

    Returns:
        (SIZE,) finite.
    """
    recipe = clip.get("recipe") or {"style": clip.get("style") or {}}
    style = Style.from_dict(recipe.get("style", {}))
    timbre = Timbre.from_dict(recipe.get("timbre", {}))
    vector = _vector(
        style,
        heard=clip.get("heard") or {},
        band=clip.get("parts") or {},
        key=clip.get("key"),
        synth=str(recipe.get("synth", "")),
        timbre=timbre,
        # Somebody's own notes were never asked for: only the ear knows them.
        asked="midi_sha256" not in recipe and clip.get("origin") != "imported",
    )
    if sound is not None and len(sound) == SOUND_SIZE:
        vector[block("sound")] = sound
    # One clip's odd number, which an import may bring, must not outweigh everything else.
    return np.clip(np.nan_to_num(vector, posinf=0.0, neginf=0.0), -LARGEST, LARGEST)


def recipe_features(recipe: Recipe) -> np.ndarray:
    """The numbers, (SIZE,), of a clip that is not made yet: what will be heard is expected to be what is asked."""
    return _vector(recipe.style, heard={}, band={}, key=None, synth=recipe.synth, timbre=recipe.timbre, asked=True)


def sound_of(samples: np.ndarray, sample_rate: int) -> list[float]:
    """SOUND_SIZE numbers of the colour of samples (channels, n): random projections of the mean MFCC."""
    mean = timbre_features(mono(resample(np.atleast_2d(samples), sample_rate, SAMPLE_RATE)))
    whole = np.clip((mean - _COLOUR_MEAN) / _COLOUR_SPREAD, -4.0, 4.0)
    return [round(float(v), 3) for v in whole @ _projection(N_MFCC, SOUND_SIZE, 0x50)]


def _vector(
    style: Style,
    *,
    heard: Mapping[str, Any],
    band: Mapping[str, str],
    key: str | None,
    synth: str,
    timbre: Timbre,
    asked: bool,
) -> np.ndarray:
    vector = np.zeros(SIZE)
    vector[block("sliders")] = [(_share(k, style, heard, asked) - 0.5) / _SPREAD for k in SLIDERS]
    vector[block("genre")], vector[block("heard genre")] = _genres(style, heard)
    vector[block("mode")] = _minor(style, key or heard.get("key"))
    vector[block("metre")] = float(style.metre == "3/4") / _RARE_SPREAD
    programs = {part: band.get(part) or style.parts[part].instrument for part in style.active_parts}
    for part in ("lead", "chords"):
        vector[block(part)] = _families(programs.get(part))
    parts = [0.0 if part in programs else -1.0 / _RARE_SPREAD for part in PARTS]
    electronic = any(name in _ELECTRONIC for name in programs.values())
    vector[block("band")] = [*parts, electronic / _RARE_SPREAD]
    vector[block("effects")] = [style.vibrato * 2, style.noise * 2, style.drive * 2, float(np.log2(style.speed)) * 3]
    vector[block("synth")] = [(synth == name) / _RARE_SPREAD for name in ("soundfont", "wavenet")]
    vector[block("timbre")] = _timbre(timbre)
    return vector


def _share(key: str, style: Style, heard: Mapping[str, Any], asked: bool) -> float:
    """Best guess of where a slider really is, 0 to 1."""
    slider = SLIDERS[key]
    value, ear = getattr(style, key), heard.get(key)
    if key == "tempo" and asked:
        value *= style.speed
    if isinstance(ear, (int, float)) and math.isfinite(ear):
        believed = HEARD_SHARE[key] if asked else 1.0
        value += believed * (ear - value)
    return min(max((value - slider.low) / (slider.high - slider.low), -0.25), 1.25)


def _genres(style: Style, heard: Mapping[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    """What genre it is, by name and ear alike, and what the ear adds to the name; zeros for what nobody knows."""
    asked = np.array([style.genre.get(genre, 0.0) for genre in GENRES])
    shares = heard.get("genres") or {heard.get("genre"): 1.0}
    ear = np.array([float(shares.get(genre, 0.0)) for genre in GENRES]) if isinstance(shares, Mapping) else asked
    ear = ear if ear.any() else asked
    asked = asked if asked.any() else ear
    both = asked + GENRE_HEARD_SHARE * (ear - asked)
    centred = both - 1.0 / len(GENRES) if both.any() else both
    return centred / _GENRE_SPREAD, (ear - asked) / _GENRE_SPREAD


def _minor(style: Style, key: Any) -> float:
    """1 for minor, -1 for major."""
    name = style.key if style.key != AUTO else key
    if name in KEYS:
        return 1.0 if key_is_minor(name) else -1.0
    return 1.0 if style.mood < 0.5 else -1.0


def _families(instrument: str | None) -> np.ndarray:
    """Which family an instrument belongs to; zeros where nobody has chosen one."""
    families = np.zeros(len(_HEARD_FAMILIES))
    if instrument in GM_NAMES:
        family = GM_NAMES.index(instrument) // 8
        if family in _HEARD_FAMILIES:
            families[_HEARD_FAMILIES.index(family)] = 1.0 / _FAMILY_SPREAD
    return families


def _timbre(timbre: Timbre) -> np.ndarray:
    """Projections of the z of a timbre that is not the instruments' own."""
    if timbre.is_own:
        return np.zeros(TIMBRE_SIZE)
    shares = ((1.0 - timbre.morph, timbre.a), (timbre.morph, timbre.b))
    z = sum(share * (np.asarray(p.z) if p.kind == "recorded" else p.noise()) for share, p in shares if p.kind != "own")
    return z @ _projection(Z_SIZE, TIMBRE_SIZE, 0x71)


@lru_cache
def _projection(size: int, count: int, seed: int) -> np.ndarray:
    """(size, count) orthonormal columns, the same for ever: states that are kept depend on them."""
    columns, _ = np.linalg.qr(np.random.default_rng(seed).standard_normal((size, count)))
    return columns
