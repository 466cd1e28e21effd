"""Names of the files that a person takes away: they say what is inside, in any script, on any file system."""

from __future__ import annotations

import unicodedata
from urllib.parse import quote

MAX_TITLE_BYTES = 80
"""Length of a title within a name, in UTF-8: with everything behind it a name stays far under the usual 255 bytes."""

NO_TITLE = "clip"


def clip_name(title: str, tempo: float, key: str | None, seed: int) -> str:
    """File name without ending, such as ``smoky-jazz-club_124bpm_Fminor_seed274688``.

    Args:
        title: what the clip is called. Letters, digits and accents of every script stay; all else becomes a dash.
        tempo: beats per minute.
        key: canonical name such as ``"C# minor"``, or None, which is left out.
        seed: of its recipe.
    """
    sound = [f"{tempo:.0f}bpm", *([key.replace(" ", "").replace("#", "sharp")] if key else [])]
    return "_".join([title_slug(title), *sound, f"seed{seed}"])


def title_slug(title: str) -> str:
    """A title as one word of letters, digits and dashes, at most MAX_TITLE_BYTES long; ``clip`` when nothing is left.

    Equal titles give equal words whatever way their accents are typed (Unicode NFC).
    """
    kept = (c if unicodedata.category(c)[0] in "LNM" else " " for c in unicodedata.normalize("NFC", title).lower())
    slug = "-".join("".join(kept).split())
    # Cut between characters: what a cut leaves of one is ignored, and so is a dash at the end.
    short = slug.encode("utf-8", errors="ignore")[:MAX_TITLE_BYTES].decode("utf-8", errors="ignore").strip("-")
    return short or NO_TITLE


def content_disposition(name: str) -> str:
    """The header that makes a browser save a file under this name (RFC 6266, with the extended value of RFC 5987).

    Args:
        name: of the file with its ending, in any script; quotes, slashes and control characters become dashes.
    """
    safe = "".join("-" if c in '"\\/' or unicodedata.category(c)[0] == "C" else c for c in name)
    plain = "".join(c for c in unicodedata.normalize("NFKD", safe) if c.isascii()).lstrip("-_. ") or NO_TITLE
    header = f'attachment; filename="{plain}"'
    return header if plain == safe else f"{header}; filename*=UTF-8''{quote(safe, safe='')}"
