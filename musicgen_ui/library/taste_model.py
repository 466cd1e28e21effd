"""What is believed of a taste: Bayesian logistic regression over the features, their squares and their products.

Of 115 weights few matter to anybody, and nobody knows beforehand which. The prior of a weight is therefore a normal
distribution whose own width is not known (scale mixture, as in the relevance vector machine of Tipping 2001, here with
a heavy-tailed hyperprior so that five likes cannot switch a feature off): widths follow the evidence for a few sweeps
of expectation maximisation. Given them, the posterior is Laplace's: a normal distribution about the most probable
weights, whose covariance says what is not known yet.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from musicgen_ui.library.taste_features import BLOCKS, NAMES, SIZE, block
from musicgen_ui.style import SLIDERS

WIDTHS = {
    "sliders": 0.8, "genre": 0.65, "heard genre": 0.1, "mode": 0.35, "metre": 0.2, "lead": 0.15, "chords": 0.1,
    "band": 0.1, "effects": 0.15, "synth": 0.15, "sound": 0.15, "timbre": 0.15,
}  # fmt: skip
"""Typical standard deviation of the weights of a block, before anything is known."""

SQUARE_WIDTH, PRODUCT_WIDTH, LEVEL_WIDTH = 0.35, 0.14, 2.0
"""The same of a slider's square (a sweet spot), of two sliders' product (fast and bright), and of the level."""

HEAVINESS = 0.3
"""Weight of the prior width against what is seen of a weight; small is heavy-tailed."""

SWEEPS = 6
SWEEP_EXAMPLES = 400
"""Widths are settled by the weightiest examples: more tell them little and cost much."""

_FIRST, _SECOND = np.triu_indices(len(SLIDERS), 1)
_END = 2.2

TERMS: tuple[str, ...] = (
    *NAMES,
    *(f"{name} squared" for name in SLIDERS),
    *(f"{tuple(SLIDERS)[i]} × {tuple(SLIDERS)[j]}" for i, j in zip(_FIRST, _SECOND, strict=True)),
)
"""What each weight belongs to, in the order of every weight vector."""

SQUARES = slice(SIZE, SIZE + len(SLIDERS))
PRODUCTS = slice(SIZE + len(SLIDERS), len(TERMS))


def expand(features: np.ndarray) -> np.ndarray:
    """(n, terms) of features (n, SIZE): themselves, the sliders' squares and their products."""
    features = np.atleast_2d(features)
    sliders = np.clip(features[:, block("sliders")], -_END, _END)
    squares = (sliders**2 - 1.0) / 0.9
    return np.hstack([features, squares, sliders[:, _FIRST] * sliders[:, _SECOND]])


def prior_widths() -> np.ndarray:
    """(terms,) standard deviation of each weight before anything is known."""
    widths = np.full(len(TERMS), PRODUCT_WIDTH)
    widths[SQUARES] = SQUARE_WIDTH
    for name in BLOCKS:
        widths[block(name)] = WIDTHS[name]
    return widths


@dataclass(frozen=True)
class TasteModel:
    """A belief about a taste.

    Attributes:
        widths: (terms,) prior standard deviation of each weight, as settled.
        mean: (1 + terms,) most probable level and weights, these in units of their widths.
        covariance: (1 + terms, 1 + terms) of the same.
        examples: how many it has seen.
    """

    widths: np.ndarray
    mean: np.ndarray
    covariance: np.ndarray
    examples: int = 0

    @classmethod
    def unknown(cls) -> TasteModel:
        """What is believed of somebody who has said nothing."""
        size = 1 + len(TERMS)
        return cls(prior_widths(), np.zeros(size), np.diag([LEVEL_WIDTH**2, *np.ones(size - 1)]))

    @classmethod
    def fit(cls, features: np.ndarray, liked: np.ndarray, weight: np.ndarray) -> TasteModel:
        """What is believed after examples.

        Args:
            features: (n, SIZE).
            liked: (n,) 1 for liked, 0 for disliked.
            weight: (n,) how much each counts, above 0; 1 is a like or dislike of today.
        """
        if not len(features):
            return cls.unknown()
        terms, liked, weight = expand(features), np.asarray(liked, float), np.asarray(weight, float)
        some = np.argsort(-weight, kind="stable")[:SWEEP_EXAMPLES]
        typical = prior_widths()
        widths, mean = typical, np.zeros(1 + len(TERMS))
        for _ in range(SWEEPS):
            mean, covariance = _laplace(terms[some] * widths, liked[some], weight[some], mean, steps=3)
            seen = (mean[1:] ** 2 + np.diag(covariance)[1:]) * widths**2
            settled = np.sqrt((HEAVINESS * typical**2 + seen) / (HEAVINESS + 1.0))
            mean[1:] *= widths / settled
            widths = settled
        mean, covariance = _laplace(terms * widths, liked, weight, mean, steps=12)
        return cls(widths, mean, covariance, len(features))

    def design(self, features: np.ndarray) -> np.ndarray:
        """(n, 1 + terms) what the mean is multiplied with."""
        terms = expand(features)
        return np.hstack([np.ones((len(terms), 1)), terms * self.widths])

    def score(self, features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Log odds of liking, (n,), and their standard deviation, (n,)."""
        design = self.design(features)
        variance = np.einsum("nd,de,ne->n", design, self.covariance, design)
        return design @ self.mean, np.sqrt(np.maximum(variance, 0.0))

    def chance(self, features: np.ndarray) -> np.ndarray:
        """(n,) probability of liking, which stays near a half while little is known (MacKay 1992)."""
        score, spread = self.score(features)
        return expit(score / np.sqrt(1.0 + np.pi / 8.0 * spread**2))

    def draw(self, features: np.ndarray, generator: np.random.Generator, boldness: float = 1.0) -> np.ndarray:
        """(n,) log odds by one taste that the person may have (Thompson 1933).

        Args:
            features: (n, SIZE).
            generator: of the draw.
            boldness: factor on the standard deviations.
        """
        # A jitter keeps the factor real where rounding has made a variance a hair negative.
        factor = np.linalg.cholesky(self.covariance + 1e-9 * np.eye(len(self.mean)))
        drawn = self.mean + boldness * factor @ generator.standard_normal(len(self.mean))
        return self.design(features) @ drawn

    @property
    def weights(self) -> np.ndarray:
        """(terms,) most probable weights, in log odds for each unit of a term."""
        return self.mean[1:] * self.widths

    @property
    def deviations(self) -> np.ndarray:
        """(terms,) standard deviations of the weights."""
        return np.sqrt(np.maximum(np.diag(self.covariance)[1:], 0.0)) * self.widths

    def pulls(self, features: np.ndarray, liked: np.ndarray, weight: np.ndarray) -> np.ndarray:
        """(n, 1 + terms) how each example pulled at the mean: at the most probable weights their sum is the mean."""
        design = self.design(features)
        surprise = weight * (liked - expit(design @ self.mean))
        return design * surprise[:, None] * np.array([LEVEL_WIDTH**2, *np.ones(len(TERMS))])


def _laplace(
    terms: np.ndarray, liked: np.ndarray, weight: np.ndarray, start: np.ndarray, *, steps: int
) -> tuple[np.ndarray, np.ndarray]:
    """Newton's steps to the most probable weights under a standard normal prior, and the covariance there."""
    design = np.hstack([np.ones((len(terms), 1)), terms])
    precision = np.array([1.0 / LEVEL_WIDTH**2, *np.ones(terms.shape[1])])
    mean = start.copy()
    for _ in range(steps):
        chance = expit(design @ mean)
        slope = design.T @ (weight * (liked - chance)) - precision * mean
        curve = (design * (weight * chance * (1.0 - chance))[:, None]).T @ design + np.diag(precision)
        step = np.linalg.solve(curve, slope)
        # Far from the top a whole step may overshoot where examples are weighty.
        mean = mean + step * min(1.0, 4.0 / (np.abs(step).max() + 1e-12))
        if np.abs(step).max() < 1e-5:
            break
    chance = expit(design @ mean)
    curve = (design * (weight * chance * (1.0 - chance))[:, None]).T @ design + np.diag(precision)
    return mean, np.linalg.inv(curve)
