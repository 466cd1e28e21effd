"""Genre weights from what the corpora call their music."""

from __future__ import annotations

from collections.abc import Mapping

from musicgen_ui.style import GENRES

_PLAIN: dict[str, dict[str, float]] = {
    **{name: {name: 1.0} for name in GENRES},
    "funk-soul": {"funk": 1.0},
    "classical-dance": {"dance": 1.0},
    # No genre of ours: their scores train the model without a label.
    "electronic": {},
    "reggae-ska": {},
    # Groove MIDI drummers.
    "soul": {"funk": 1.0},
    "afrocuban": {"latin": 1.0},
    "punk": {"rock": 1.0},
    "neworleans": {"jazz": 0.5, "funk": 0.5},
    "gospel": {"blues": 0.5, "funk": 0.5},
    "afrobeat": {"funk": 0.5, "latin": 0.5},
    "highlife": {"latin": 1.0},
    "middleeastern": {},
    "hiphop": {},
    "reggae": {},
    # Mutopia styles.
    "hymn": {"classical": 0.7, "folk": 0.3},
    "song": {"classical": 0.5, "folk": 0.5},
    "march": {"dance": 0.5, "classical": 0.5},
    "technique": {"classical": 1.0},
    "popular / dance": {"dance": 1.0},
    "strophic with chorus": {"folk": 1.0},
    # Discogs tags.
    "folk, world, & country": {"folk": 0.7, "country": 0.3},
    "funk / soul": {"funk": 1.0},
    "stage & screen": {"jazz": 0.5, "pop": 0.5},
    "brass & military": {"dance": 1.0},
}

_DANCES = frozenset(
    (
        "polonaise",
        "mazurka",
        "waltz",
        "march",
        "polka",
        "krakowiak",
        "contradance",
        "minuet",
        "oberek",
        "kujawiak",
        "galop",
        "quadrille",
        "gavotte",
        "ecossaise",
        "landler",
        "bolero",
        "tarantella",
        "anglaise",
        "cotillion",
    )
)


def plain(name: str | None) -> dict[str, float]:
    """Weights of one genre name; empty when it is none of ours."""
    return dict(_PLAIN.get((name or "").strip().lower(), {}))


def blended(tags: Mapping[str, float] | None) -> dict[str, float]:
    """Weights of counted tags such as ``{"Jazz": 8, "Pop": 2}``."""
    weights: dict[str, float] = {}
    for tag, count in (tags or {}).items():
        for genre, weight in plain(tag).items():
            weights[genre] = weights.get(genre, 0.0) + weight * count
    total = sum(weights.values())
    return {g: round(weights[g] / total, 4) for g in GENRES if weights.get(g)} if total else {}


def polish(style: str | None) -> dict[str, float]:
    """Dances are half ballroom, half classical; sonatas and preludes are classical."""
    return {"dance": 0.5, "classical": 0.5} if (style or "").lower() in _DANCES else {"classical": 1.0}
