"""The page as a server: its public endpoint, bad input over raw HTTP, two visitors at once, and Stop."""

from __future__ import annotations

import hashlib
import json
import threading
import time
import urllib.request
from pathlib import Path

import numpy as np
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError

from musicgen_ui.audio.waveform import write_wav
from musicgen_ui.ui.settings import RECIPE_CONTROLS


def post(url: str, payload: object) -> dict:
    body = json.dumps(payload).encode()
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.load(answer)


def call(url: str, endpoint: str, data: list) -> tuple[str, object]:
    """(event name, data) of the last event of a call over plain HTTP."""
    event = post(f"{url}gradio_api/call/{endpoint}", {"data": data})["event_id"]
    with urllib.request.urlopen(f"{url}gradio_api/call/{endpoint}/{event}", timeout=30) as stream:
        lines = [line.strip() for line in stream.read().decode().splitlines() if line.strip()]
    return lines[-2].removeprefix("event: "), json.loads(lines[-1].removeprefix("data: "))


def defaults(client: Client) -> list:
    parameters = client.view_api(return_format="dict", print_info=False)["named_endpoints"]["/generate"]["parameters"]
    assert [parameter["parameter_name"] for parameter in parameters] == [*RECIPE_CONTROLS, "person"]
    return [parameter["parameter_default"] for parameter in parameters]


def test_the_public_endpoints_and_every_argument_of_generate_has_a_default(serve, studio) -> None:
    client = Client(serve(studio), verbose=False)
    endpoints = client.view_api(return_format="dict", print_info=False)["named_endpoints"]
    assert list(endpoints) == [
        "/generate", "/accompany", "/continue_clip", "/regenerate", "/make_recipe", "/vary", "/morph", "/perform",
        "/borrow_timbre", "/match", "/library_clips", "/library_keep", "/library_like", "/library_rename",
        "/library_tag", "/library_delete", "/library_restore", "/playlist_list", "/playlist_create",
        "/playlist_add", "/playlist_remove", "/playlist_reorder", "/playlist_rename", "/playlist_delete",
        "/playlist_restore", "/taste", "/taste_switch", "/taste_reset", "/taste_propose", "/similar",
        "/novelty",
    ]  # fmt: skip
    for name, endpoint in endpoints.items():
        if name.startswith(("/library", "/playlist", "/taste", "/similar", "/novelty")):
            continue
        required = [p["parameter_name"] for p in endpoint["parameters"] if not p["parameter_has_default"]]
        assert required in ([], ["file"]), required
    wav, midi, recipe, stems, clip = client.predict(bars=4, api_name="/generate")
    assert Path(wav).read_bytes()[:4] == b"RIFF"
    assert Path(midi).read_bytes()[:4] == b"MThd"
    assert Path(stems).read_bytes()[:2] == b"PK"
    assert clip["hash"] == hashlib.sha256(Path(wav).read_bytes()).hexdigest()
    assert {meter["name"] for meter in clip["meters"]} >= {"Tempo", "Mood", "Key", "Genre"}
    assert clip["asked"]["tempo"] == 110
    told = json.loads(Path(recipe).read_text("utf-8"))
    assert told["recipe"]["seed"] == 7
    assert told["recipe"]["bars"] == 4


def test_same_arguments_give_the_same_bytes(serve, studio) -> None:
    client = Client(serve(studio), verbose=False)

    def hashes() -> list[str]:
        files = client.predict(bars=4, seed=11, tempo=150, api_name="/generate")
        return [hashlib.sha256(Path(files[i]).read_bytes()).hexdigest() for i in (0, 1, 3)]

    assert hashes() == hashes()


BAD = {
    "tempo": [float("nan"), float("inf"), 500, -1, True, "fast", None, [], 10**400],
    "mood": ["x", 2],
    "key": ["H minor", 3, None, ["A minor"]],
    "metre": ["5/4", 4],
    "genre_pop": ["lots", -1, True, float("nan")],
    "lead_on": ["yes", 1, None],
    "lead_instrument": ["kazoo", 7],
    "lead_level": [99, "loud"],
    "bars": [0, 10_000, 3.5, True, "x", None],
    "seed": [-1, 2**32, 10**30, 1.5, "x", None, True],
    "composer": ["bach", 1],
    "synth": ["theremin", None],
    "takes": [0, 99],
    "rounds": [-1, 9],
    "form": ["sonata", None, 3, ["AABA"]],
    "intro": ["yes", 1, None],
    "ending": ["bang", None, {}],
    "timbre": [None, [], "own", {"a": "x"}, {"a": {"kind": "recorded"}}, {"morph": 2}, {"parts": ["drums"]}],
}


def test_bad_values_over_plain_http_get_one_sentence_that_names_the_control(serve, studio, calls) -> None:
    url = serve(studio)
    good = dict(zip([*RECIPE_CONTROLS, "person"], defaults(Client(url, verbose=False)), strict=True))
    for name, values in BAD.items():
        for value in values:
            event, told = call(url, "generate", list((good | {name: value}).values()))
            assert event == "error", (name, value)
            sentence = told["error"]
            assert isinstance(sentence, str), (name, value, told)
            assert sentence.split(":")[0].replace(" ", "_") in (name, name.replace("lead_on", "parts_lead"))
            assert "\n" not in sentence
            assert "Traceback" not in sentence
            assert len(sentence) < 300
    assert calls.ticks == 0, "bad input reached the engine"


@pytest.mark.parametrize("last", ["rounds", "timbre"])
def test_arguments_in_the_order_of_earlier_releases_still_work(serve, studio, last: str) -> None:
    client = Client(serve(studio), verbose=False)
    known = RECIPE_CONTROLS.index(last) + 1
    wav, *_ = client.predict(*defaults(client)[:known], api_name="/generate")
    assert Path(wav).read_bytes()[:4] == b"RIFF"


def test_a_borrowed_timbre_goes_into_a_clip(serve, studio, tmp_path) -> None:
    client = Client(serve(studio), verbose=False)
    wave = 0.4 * np.sin(np.arange(60_000, dtype=np.float32) * 0.07)
    write_wav(tmp_path / "voice.wav", wave[None, :], 44_100)
    point = client.predict(handle_file(tmp_path / "voice.wav"), api_name="/borrow_timbre")
    assert set(point) == {"kind", "z"}
    asked = {"a": {"kind": "random", "seed": 3}, "b": point, "morph": 0.5}
    _, _, recipe, *_ = client.predict(bars=4, synth="vaegan", timbre=asked, api_name="/generate")
    assert json.loads(Path(recipe).read_text("utf-8"))["recipe"]["timbre"] == asked


def test_a_recording_that_is_refused_is_one_sentence(serve, studio, tmp_path) -> None:
    client = Client(serve(studio), verbose=False)
    (tmp_path / "voice.wav").write_bytes(b"no music at all")
    with pytest.raises(AppError, match=r"^recording: ") as caught:
        client.predict(handle_file(tmp_path / "voice.wav"), api_name="/borrow_timbre")
    assert "Traceback" not in str(caught.value)


def test_all_parts_off_is_refused(serve, studio) -> None:
    url = serve(studio)
    good = dict(zip([*RECIPE_CONTROLS, "person"], defaults(Client(url, verbose=False)), strict=True))
    silent = good | {f"{part}_on": False for part in ("lead", "chords", "bass", "drums")}
    event, told = call(url, "generate", list(silent.values()))
    assert (event, told["error"]) == ("error", "parts: switch on at least one part")


def test_a_wrong_number_of_arguments_breaks_nothing(serve, studio) -> None:
    url = serve(studio)
    for data in ([], [1, 2], list(range(200))):
        event, _ = call(url, "generate", data)
        assert event == "error"
    assert Client(url, verbose=False).predict(bars=4, api_name="/generate")


def test_two_visitors_at_once_get_their_own_clip_and_take_turns(serve, studio, calls) -> None:
    calls.pause = 0.02
    url = serve(studio)
    got: dict[int, dict] = {}

    def visit(seed: int) -> None:
        _, _, recipe, *_ = Client(url, verbose=False).predict(bars=8, seed=seed, tempo=60 + seed, api_name="/generate")
        got[seed] = json.loads(Path(recipe).read_text("utf-8"))["recipe"]

    threads = [threading.Thread(target=visit, args=(seed,)) for seed in (3, 44, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert {seed: recipe["seed"] for seed, recipe in got.items()} == {3: 3, 44: 44, 5: 5}
    assert {seed: recipe["style"]["tempo"] for seed, recipe in got.items()} == {3: 63, 44: 104, 5: 65}
    assert calls.most == 1, "two requests used the engine at once"


def test_a_cancelled_call_stops_the_engine(serve, studio, calls) -> None:
    calls.pause = 0.05
    client = Client(serve(studio), verbose=False)
    job = client.submit(bars=128, api_name="/generate")
    deadline = time.perf_counter() + 20
    while calls.ticks < 5 and time.perf_counter() < deadline:
        time.sleep(0.02)
    assert calls.ticks >= 5, "the engine never started"
    pressed = time.perf_counter()
    job.cancel()
    time.sleep(1.5)
    assert calls.running == 0
    assert calls.ticks < 128
    assert calls.last - pressed < 0.5


@pytest.mark.parametrize(
    "path", ["gradio_api/file=/etc/passwd", "gradio_api/file=app.py", "monitoring", "gradio_api/proxy=http://127.0.0.1"]
)
def test_nothing_but_clips_is_served(serve, studio, path: str) -> None:
    url = serve(studio)
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(url + path, timeout=10)
    assert caught.value.code in (400, 403, 404, 405)
