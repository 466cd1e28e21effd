"""The Recipe: everything that makes a clip again, as JSON and as a code short enough for a link."""

from __future__ import annotations

import base64
import binascii
import json
import re
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from musicgen_ui import __version__
from musicgen_ui.errors import RequestError
from musicgen_ui.music.form import ENDINGS, FORMS, Shape, plan_form
from musicgen_ui.source import Source
from musicgen_ui.style import Style
from musicgen_ui.timbre import Timbre

COMPOSERS = ("wavenet", "lstm")
SYNTHS = ("vaegan", "wavenet", "soundfont")
"""Engines that this release ships; the first of each is the default everywhere."""

TIMBRE_SYNTHS = ("vaegan",)
"""Synthesizers that play other timbres than the instrument's own."""

LIMITS: dict[str, tuple[int, int]] = {"seed": (0, 2**32 - 1), "bars": (1, 128), "takes": (1, 16), "rounds": (0, 4)}
"""Whole-number fields and their range, both ends included."""

CODE_PREFIX = "m1."
"""Version of the share code. It changes when an old code would no longer be read the same."""

_MAX_CODE = 6144
_MAX_JSON = 32_768


@dataclass(frozen=True)
class Recipe:
    """What made, or will make, a clip. Every field is checked on construction.

    The same recipe gives the same file bytes on the same machine and release.

    Attributes:
        style: what was asked for.
        seed: 0 to 2**32 - 1; the only source of randomness.
        bars: length, 1 to 128.
        composer: one of COMPOSERS.
        synth: one of SYNTHS.
        takes: scores written of which the closest to the style is kept, 1 to 16.
        rounds: corrections after listening, 0 to 4.
        form: one of ``music.form.FORMS``: which sections there are and which come back.
        intro: whether it begins with an introduction, within ``bars``.
        ending: one of ``music.form.ENDINGS``.
        source: other music that it is made from; left out of JSON while there is none.
        timbre: what the neural synthesizer's instruments sound like; left out of JSON while it changes nothing.
        checkpoints: name to SHA-256 of the models that made the clip; empty in a request.
        version: release that made the clip.

    Raises:
        RequestError: a value is of the wrong type, out of range or unknown; it names the field.
    """

    style: Style = field(default_factory=Style)
    seed: int = 0
    bars: int = 16
    composer: str = COMPOSERS[0]
    synth: str = SYNTHS[0]
    takes: int = 8
    rounds: int = 0
    form: str = FORMS[0]
    intro: bool = False
    ending: str = ENDINGS[0]
    source: Source | None = None
    timbre: Timbre = field(default_factory=Timbre)
    checkpoints: Mapping[str, str] = field(default_factory=dict)
    version: str = __version__

    def __post_init__(self) -> None:
        if not isinstance(self.style, Style):
            raise RequestError("style", "must be an object of slider values")
        for name, (low, high) in LIMITS.items():
            object.__setattr__(self, name, checked_integer(name, getattr(self, name), low, high))
        _check_choice("composer", self.composer, COMPOSERS)
        _check_choice("synth", self.synth, SYNTHS)
        _check_choice("form", self.form, FORMS)
        _check_choice("ending", self.ending, ENDINGS)
        if not isinstance(self.intro, bool):
            raise RequestError("intro", f"must be true or false, not {self.intro!r:.40}")
        plan_form(self.form, self.bars, self.intro, self.ending)  # refuses what has no room
        if self.source is not None and not isinstance(self.source, Source):
            raise RequestError("source", "must be an object with action and recipe or midi_sha256")
        check_timbre(self.synth, self.timbre)
        object.__setattr__(self, "checkpoints", _checked_checkpoints(self.checkpoints))
        if not isinstance(self.version, str) or not re.fullmatch(r"[0-9A-Za-z.+-]{1,32}", self.version):
            raise RequestError("version", "must be a release such as 0.1.0")

    @property
    def shape(self) -> Shape:
        """The course of the clip."""
        return Shape(self.form, self.intro, self.ending)

    @property
    def keeps_notes(self) -> bool:
        """Whether every note is given, so that nothing is left to be written."""
        return self.source is not None and self.source.keeps_notes

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON value with every field, but for a timbre that changes nothing and a source that there is not."""
        values = _plain(self) | {"checkpoints": dict(self.checkpoints)}
        source = values.pop("source")
        return values if source is None else values | {"source": source.to_dict()}

    @classmethod
    def from_dict(cls, values: Any) -> Recipe:
        """Inverse of :meth:`to_dict`; missing fields take their defaults.

        Raises:
            RequestError: not an object, an unknown field, or a bad value.
        """
        if not isinstance(values, Mapping):
            raise RequestError("recipe", "must be an object")
        known = {f.name for f in fields(cls)}
        for name in values:
            if name not in known:
                raise RequestError("recipe", f"has no field {name!r:.40}")
        source = values.get("source")
        made = {
            "style": Style.from_dict(values.get("style", {})),
            "source": None if source is None else Source.from_dict(source, cls.from_dict),
            "timbre": Timbre.from_dict(values.get("timbre", {})),
        }
        return cls(**{**values, **made})

    def to_json(self) -> str:
        """Canonical JSON: sorted keys, no spaces, ASCII. Equal recipes give equal text."""
        return json.dumps(self.to_dict(), sort_keys=True, separators=(",", ":"), allow_nan=False)

    def to_code(self) -> str:
        """Code for a link: prefix, then unpadded URL-safe base64 of the deflated canonical JSON."""
        packed = zlib.compress(self.to_json().encode("ascii"), 9)
        return CODE_PREFIX + base64.urlsafe_b64encode(packed).decode("ascii").rstrip("=")

    @classmethod
    def from_code(cls, code: Any) -> Recipe:
        """Inverse of :meth:`to_code`. Work and memory are bounded whatever the text holds.

        Raises:
            RequestError: ``share link`` is no code of this release, is damaged, or asks for something bad.
        """
        try:
            return cls.from_dict(_unpack(code))
        except RequestError as error:
            if error.argument == _LINK:
                raise
            raise RequestError(_LINK, f"it holds a bad {error.argument}: {error.reason}") from None

    def with_provenance(self, checkpoints: Mapping[str, str]) -> Recipe:
        """The recipe as it belongs into a finished clip: with the models and the release that made it."""
        return replace(self, checkpoints=checkpoints, version=__version__)


@dataclass(frozen=True)
class RenderRecipe:
    """What made a clip from somebody's MIDI file: no composer, and the file is told by its hash.

    Attributes:
        midi_sha256: SHA-256 of the MIDI file.
        style: what the mixer was asked for; its tempo, key and metre play no role.
        seed: seed of the mixer's noise.
        synth: one of SYNTHS.
        timbre: as in :class:`Recipe`.
    """

    midi_sha256: str
    style: Style = field(default_factory=Style)
    seed: int = 0
    synth: str = SYNTHS[0]
    timbre: Timbre = field(default_factory=Timbre)
    version: str = __version__

    def __post_init__(self) -> None:
        object.__setattr__(self, "seed", checked_integer("seed", self.seed, *LIMITS["seed"]))
        _check_choice("synth", self.synth, SYNTHS)
        check_timbre(self.synth, self.timbre)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON value, as :meth:`Recipe.to_dict`."""
        return _plain(self)

    def to_json(self) -> str:
        """Canonical JSON, as :meth:`Recipe.to_json`."""
        return json.dumps(self.to_dict(), sort_keys=True, separators=(",", ":"), allow_nan=False)


def require_available(composer: str | None, synth: str, composers: Iterable[str], synths: Iterable[str]) -> None:
    """Refuses an engine that is not there.

    Args:
        composer: None where the notes are given.
        synth: the synthesizer.
        composers: those that are loaded.
        synths: the same.

    Raises:
        RequestError: says which engines are available.
    """
    for name, value, available in (("composer", composer, tuple(composers)), ("synth", synth, tuple(synths))):
        if value is not None and value not in available:
            raise RequestError(name, f"{value} is not loaded; available: {', '.join(available)}")


def check_timbre(synth: str, timbre: Timbre) -> None:
    """Refuses a timbre that the synthesizer would have to ignore.

    Raises:
        RequestError: ``timbre`` is no Timbre, or changes something that ``synth`` cannot change.
    """
    if not isinstance(timbre, Timbre):
        raise RequestError("timbre", "must be an object with a, b, morph and parts")
    if not timbre.is_own and synth not in TIMBRE_SYNTHS:
        raise RequestError(
            "timbre", f"{synth} plays fixed instruments; only {' and '.join(TIMBRE_SYNTHS)} can change it"
        )


def checked_integer(name: str, value: Any, low: int, high: int) -> int:
    """``value`` as an int in [low, high]; a float with a whole value counts, since JSON and sliders give those.

    Raises:
        RequestError: it is a bool, not a whole number, or out of range.
    """
    if (
        isinstance(value, bool)
        or not isinstance(value, (int, float))
        or (isinstance(value, float) and not value.is_integer())
    ):
        raise RequestError(name, f"must be a whole number from {low} to {high}, not {value!r:.40}")
    if not low <= value <= high:
        shown = f"{value!r:.40}" if isinstance(value, float) or abs(value) < 10**30 else "a huge number"
        raise RequestError(name, f"must be from {low} to {high}, not {shown}")
    return int(value)


def _plain(recipe: Recipe | RenderRecipe) -> dict[str, Any]:
    """Every field as a JSON value, without a timbre that is the default."""
    values = {f.name: getattr(recipe, f.name) for f in fields(recipe)}
    timbre = values.pop("timbre").to_dict()
    return values | {"style": recipe.style.to_dict()} | ({"timbre": timbre} if timbre else {})


def _check_choice(name: str, value: Any, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise RequestError(name, f"{value!r:.40} is not one of {', '.join(choices)}")


def _checked_checkpoints(checkpoints: Any) -> dict[str, str]:
    if not isinstance(checkpoints, Mapping) or len(checkpoints) > 16:
        raise RequestError("checkpoints", "must map at most 16 model names to their SHA-256")
    for name, digest in checkpoints.items():
        if not isinstance(name, str) or not re.fullmatch(r"[\w.-]{1,64}", name, re.ASCII):
            raise RequestError("checkpoints", f"{name!r:.40} is not a model name")
        if not isinstance(digest, str) or not re.fullmatch(r"[0-9a-f]{64}", digest):
            raise RequestError("checkpoints", f"the SHA-256 of {name} must be 64 hexadecimal digits")
    return dict(sorted(checkpoints.items()))


_LINK = "share link"


def _unpack(code: Any) -> Any:
    """JSON value inside a share code."""
    if not isinstance(code, str) or not code.startswith(CODE_PREFIX):
        raise RequestError(_LINK, f"a code starts with {CODE_PREFIX!r}")
    if len(code) > _MAX_CODE:
        raise RequestError(_LINK, f"longer than {_MAX_CODE} characters")
    body = code[len(CODE_PREFIX) :]
    if not re.fullmatch(r"[A-Za-z0-9_-]+", body):
        raise RequestError(_LINK, "it holds characters that no code has; was it cut or changed?")
    try:
        packed = base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))
        # A few bytes of deflate can stand for gigabytes: unpack no more than a recipe can be.
        inflate = zlib.decompressobj()
        text = inflate.decompress(packed, _MAX_JSON)
        if not inflate.eof or inflate.unused_data:
            raise RequestError(_LINK, "it was cut or changed")
        return json.loads(text.decode("ascii"))
    except (binascii.Error, zlib.error, ValueError, RecursionError) as error:
        if isinstance(error, RequestError):
            raise
        raise RequestError(_LINK, "it was cut or changed") from None
