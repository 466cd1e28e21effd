"""A Source survives JSON, is bounded however it was nested, and refuses everything else in one sentence."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from musicgen_ui.errors import RequestError
from musicgen_ui.music.score import PARTS
from musicgen_ui.source import ACTIONS, MAX_BARS, MAX_DEPTH, Source

DIGEST = "0" * 63 + "a"


@dataclass(frozen=True)
class Clip:
    """Stands for a recipe."""

    seed: int = 0
    source: Source | None = None
    checkpoints: Mapping[str, str] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        source = {} if self.source is None else {"source": self.source.to_dict()}
        return {"seed": self.seed, "checkpoints": dict(self.checkpoints)} | source


def parse(values: Any) -> Clip:
    source = values.get("source")
    source = None if source is None else Source.from_dict(source, parse)
    return Clip(values.get("seed", 0), source, values.get("checkpoints", {}))


def nested(depth: int) -> Source:
    source = Source("continue", midi_sha256=DIGEST)
    for seed in range(depth - 1):
        source = Source("continue", recipe=Clip(seed, source))
    return source


origins = st.one_of(
    st.builds(dict, recipe=st.builds(Clip, st.integers(0, 9))),
    st.just({"midi_sha256": DIGEST}),
    st.builds(dict, recipe=st.builds(Clip, source=st.integers(1, MAX_DEPTH - 1).map(nested))),
)
clips = st.builds(Clip, st.integers(0, 9))
shares = st.floats(0, 1)
some_parts = st.lists(st.sampled_from(PARTS), min_size=1, max_size=3).map(tuple)
spans = st.tuples(st.integers(0, MAX_BARS - 1), st.integers(1, MAX_BARS)).filter(lambda pair: pair[0] < pair[1])
sources = st.one_of(
    st.builds(lambda at, parts: Source("accompany", parts=parts, **at), origins, some_parts),
    st.builds(lambda at: Source("continue", **at), origins),
    st.builds(lambda at, parts, bars: Source("regenerate", parts=parts, bars=bars, **at), origins, some_parts, spans),
    st.builds(lambda at, bars: Source("regenerate", bars=bars, **at), origins, spans),
    st.builds(lambda at, amount: Source("vary", amount=amount, **at), origins, shares),
    st.builds(lambda at, clip, mix: Source("morph", other=clip, mix=mix, **at), origins, clips, shares),
    st.builds(lambda at: Source("perform", **at), origins),
)


@given(sources)
def test_json_gives_the_source_back(source):
    text = json.dumps(source.to_dict(), allow_nan=False)
    assert Source.from_dict(json.loads(text), parse) == source


def test_what_says_nothing_is_left_out():
    assert Source("continue", midi_sha256=DIGEST).to_dict() == {"action": "continue", "midi_sha256": DIGEST}


def test_parts_come_in_their_order_and_once():
    assert Source("accompany", midi_sha256=DIGEST, parts=["bass", "lead", "bass"]).parts == ("lead", "bass")


def test_models_of_an_inner_recipe_are_those_of_the_outer_one():
    source = Source("continue", recipe=Clip(checkpoints={"composer_lstm.safetensors": DIGEST}))
    assert source.recipe == Clip()


def test_a_chain_knows_its_depth_and_its_beginning():
    source = nested(5)
    assert source.depth == 5
    assert source.first == Source("continue", midi_sha256=DIGEST)


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (7, "must be an object"),
        ({}, "needs an action"),
        ({"action": "remix", "midi_sha256": DIGEST}, "'remix' is not one of accompany"),
        ({"action": ["continue"], "midi_sha256": DIGEST}, "is not one of accompany"),
        ({"action": "continue"}, "either the recipe of a clip or"),
        ({"action": "continue", "midi_sha256": DIGEST, "recipe": {}}, "either the recipe of a clip or"),
        ({"action": "continue", "midi_sha256": DIGEST.upper()}, "64 hexadecimal digits"),
        ({"action": "continue", "midi_sha256": 5}, "64 hexadecimal digits"),
        ({"action": "continue", "midi_sha256": DIGEST, "loop": 1}, "has no field 'loop'"),
        ({"action": "continue", "midi_sha256": DIGEST, "parts": ["lead"]}, "to continue takes every part"),
        ({"action": "continue", "midi_sha256": DIGEST, "bars": [1, 2]}, "only regenerating"),
        ({"action": "accompany", "midi_sha256": DIGEST}, "at least one part to keep"),
        ({"action": "accompany", "midi_sha256": DIGEST, "parts": list(PARTS)}, "leaves nothing to write"),
        ({"action": "accompany", "midi_sha256": DIGEST, "parts": ["flute"]}, "'flute' is not one of lead"),
        ({"action": "accompany", "midi_sha256": DIGEST, "parts": [["lead"]]}, "is not one of lead"),
        ({"action": "accompany", "midi_sha256": DIGEST, "parts": "lead"}, "must be a list of lead"),
        ({"action": "accompany", "midi_sha256": DIGEST, "parts": ["lead"] * 9}, "must be a list of lead"),
        ({"action": "regenerate", "midi_sha256": DIGEST}, "would be a new clip"),
        ({"action": "regenerate", "midi_sha256": DIGEST, "parts": list(PARTS)}, "would be a new clip"),
        ({"action": "regenerate", "midi_sha256": DIGEST, "bars": [4]}, "the first one and the one after the last"),
        ({"action": "regenerate", "midi_sha256": DIGEST, "bars": "48"}, "the first one and the one after the last"),
        ({"action": "regenerate", "midi_sha256": DIGEST, "bars": [4, 4]}, "must rise"),
        ({"action": "regenerate", "midi_sha256": DIGEST, "bars": [-1, 4]}, "must rise"),
        ({"action": "regenerate", "midi_sha256": DIGEST, "bars": [0, 10**400]}, "must rise"),
        ({"action": "regenerate", "midi_sha256": DIGEST, "bars": [0, 1.5]}, "whole numbers"),
        ({"action": "regenerate", "midi_sha256": DIGEST, "bars": [0, float("inf")]}, "whole numbers"),
        ({"action": "regenerate", "midi_sha256": DIGEST, "bars": [False, True]}, "whole numbers"),
        ({"action": "vary", "midi_sha256": DIGEST}, "how much to vary must be a number from 0 to 1, not None"),
        ({"action": "vary", "midi_sha256": DIGEST, "amount": 1.5}, "how much to vary must be .* not 1.5"),
        ({"action": "vary", "midi_sha256": DIGEST, "amount": float("nan")}, "how much to vary must be .* not nan"),
        ({"action": "vary", "midi_sha256": DIGEST, "amount": True}, "how much to vary must be .* not True"),
        ({"action": "vary", "midi_sha256": DIGEST, "amount": 10**400}, "how much to vary must be .* a huge number"),
        ({"action": "vary", "midi_sha256": DIGEST, "amount": 0.5, "mix": 0.5}, "only to morph takes a share"),
        ({"action": "vary", "midi_sha256": DIGEST, "amount": 0.5, "parts": ["lead"]}, "to vary takes every part"),
        ({"action": "vary", "midi_sha256": DIGEST, "amount": 0.5, "other": {}}, "a morph, and nothing else"),
        ({"action": "morph", "midi_sha256": DIGEST, "mix": 0.5}, "a morph, and nothing else"),
        ({"action": "morph", "midi_sha256": DIGEST, "other": {}}, "how much to morph must be"),
        ({"action": "morph", "other": {}, "mix": 0.5}, "either the recipe of a clip or"),
        ({"action": "perform", "midi_sha256": DIGEST, "amount": 0.5}, "only to vary takes a share"),
        ({"action": "perform", "midi_sha256": DIGEST, "bars": [0, 1]}, "only regenerating"),
    ],
)
def test_bad_values_are_refused_in_a_sentence(values, reason):
    with pytest.raises(RequestError, match=reason) as caught:
        Source.from_dict(values, parse)
    assert caught.value.argument == "source"


def test_what_is_no_recipe_is_refused():
    for recipe in ({"seed": 1}, DIGEST, PARTS):
        with pytest.raises(RequestError, match="must be the recipe of a clip"):
            Source("continue", recipe=recipe)


def test_nesting_ends_at_the_limit():
    assert nested(MAX_DEPTH).depth == MAX_DEPTH
    with pytest.raises(RequestError, match="nested too deep"):
        nested(MAX_DEPTH + 1)


def morph(a: Source | None, b: Source | None) -> Source:
    return Source("morph", recipe=Clip(1, a), other=Clip(2, b), mix=0.5)


def test_a_morph_has_two_beginnings_and_the_one_with_a_file_is_told():
    of_clip, of_file = Source("continue", recipe=Clip(5)), nested(3)
    both = morph(of_clip, of_file)
    assert (both.depth, both.clips) == (4, 2 + 1 + 2)
    assert both.first == Source("continue", midi_sha256=DIGEST)
    assert morph(of_clip, None).first == of_clip
    assert morph(None, None).first == morph(None, None)
    assert morph(of_file, of_file).first == of_file.first


def test_only_one_file_can_be_behind_a_morph():
    other = Source("perform", midi_sha256="f" * 64)
    kept = Source("accompany", midi_sha256=DIGEST, parts=("lead",))
    for second in (other, kept):
        with pytest.raises(RequestError, match="only one file"):
            morph(nested(1), second)


def test_clips_behind_a_clip_are_counted_before_they_are_parsed():
    source = None
    for _ in range(3):
        source = morph(source, source)
    assert source.clips == 14
    values = {"action": "morph", "mix": 0.5, "recipe": {"source": source.to_dict()}, "other": {}}
    assert Source.from_dict(values, parse).clips == 16
    values["other"] = {"source": morph(None, None).to_dict()}
    values = {"action": "vary", "amount": 0.1, "recipe": {"source": values}}

    def fail(recipe):
        raise AssertionError("parsed")

    with pytest.raises(RequestError, match="too many clips"):
        Source.from_dict(values, fail)
    with pytest.raises(RequestError, match="too many clips"):
        morph(source, morph(None, None))


def test_a_text_nested_a_thousand_times_is_refused_before_it_is_parsed():
    values: dict[str, Any] = {"action": "continue", "midi_sha256": DIGEST}
    for _ in range(5000):
        values = {"action": "continue", "recipe": {"source": values}}

    def fail(recipe):
        raise AssertionError("parsed")

    with pytest.raises(RequestError, match="nested too deep"):
        Source.from_dict(values, fail)


def test_every_action_can_be_asked_for():
    assert ACTIONS == ("accompany", "continue", "regenerate", "vary", "morph", "perform")
