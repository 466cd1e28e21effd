"""``prepare-audio``: what a person may leave out, and what they are told."""

from __future__ import annotations

import pytest

from musicgen_ui.__main__ import main


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "error: --data: name a folder"),
        (["--data", "none", "--part", "bass"], "error: --part: goes with --audio"),
        (["--data", "none", "--passage-seconds", "1"], "error: --passage-seconds: must be from 2 to 30"),
        (["--data", "none"], "holds no prepared pieces"),
        (["--audio", "none"], "error: --audio: 'none' is not a folder"),
    ],
)
def test_bad_input_is_one_line(capsys, tmp_path, options, message):
    assert main(["prepare-audio", "--out", str(tmp_path), *options]) == 2
    said = capsys.readouterr().err
    assert message in said
    assert said.count("\n") == 1
