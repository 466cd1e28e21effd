"""``bench wavenet`` on a small network, and the probes that it compares with."""

import json

import numpy as np
import pytest

from musicgen_ui.__main__ import main
from musicgen_ui.cli import bench_wavenet, roofline
from musicgen_ui.models.wavenet.packing import PackedWaveNet
from musicgen_ui.models.wavenet.raw import RawWaveNet, RawWaveNetConfig

SMALL = RawWaveNetConfig(
    residual=16, skip=16, dilations=(1, 4, 32), hop=16, excitation=10, frame_hidden=8, frame_width=8
)


@pytest.fixture
def brief(monkeypatch):
    monkeypatch.setattr(bench_wavenet, "KERNEL_FRAMES", 4)
    monkeypatch.setattr(bench_wavenet, "CACHED_FRAMES", 2)
    monkeypatch.setattr(bench_wavenet, "NAIVE_SAMPLES", 5)
    monkeypatch.setattr(bench_wavenet, "_random", lambda: RawWaveNet(SMALL).eval())
    monkeypatch.setattr(roofline, "SECONDS", 0.01)


def test_bench_compares_three_ways_on_the_same_weights(brief, tmp_path, capsys):
    report = tmp_path / "bench.json"
    assert main(["bench", "wavenet", "--random", "--repeats", "1", "--report", str(report)]) == 0
    values, out = json.loads(report.read_text(encoding="utf-8")), capsys.readouterr().out
    speeds = values["samples a second"]
    streams = ["kernel, 1 stream", *(f"kernel, {count} streams" for count in (2, 4, 8))]
    assert list(speeds) == ["naive PyTorch", "cached PyTorch", *streams]
    assert all(name in out for name in speeds)
    assert values["same classes"]
    assert values["kernel over naive"] == speeds["kernel, 1 stream"] / speeds["naive PyTorch"] > 1
    entry = values["roofline"]["kernel, 1 stream"]
    assert entry["share"] == speeds["kernel, 1 stream"] / min(entry["cache"], entry["arithmetic"])
    assert values["roofline"]["kernel, 4 streams"]["cache"] == pytest.approx(4 * entry["cache"])


def test_work_counts_the_weights_that_a_sample_needs():
    read, sums = bench_wavenet.work(PackedWaveNet.of(RawWaveNet(SMALL)))
    # Layers: the present half whole, the past half once for 1, 4 and 16 samples; 23 features fill 24.
    half, out, head, features = 16 * 32, 16 * 32, 16 * 16 + 16 * 256, 24 * 16
    assert sums == 6 * half + 2 * out + 16 * 16 + head + features
    assert read == 4 * (3 * half + half * (1 + 1 / 4 + 1 / 16) + 2 * out + 16 * 16 + head + features / 16)


def test_probes_measure_what_they_say(monkeypatch):
    monkeypatch.setattr(roofline, "SECONDS", 0.01)
    buffer, out = np.arange(1024, dtype=np.float32), np.zeros(8 * 16, dtype=np.float32)
    roofline._read(buffer, 1024, 1, out)
    assert out.sum() == buffer.sum()
    assert roofline.read_bandwidth(32_000) > 1e8
    assert roofline.multiply_add_rate() > 1e8


def test_a_missing_checkpoint_is_told_in_a_line(tmp_path, capsys):
    assert main(["bench", "wavenet", "--checkpoints", str(tmp_path)]) == 2
    assert capsys.readouterr().err == "error: wavenet.safetensors: the checkpoint is missing\n"


def test_an_unknown_subject_is_told_in_a_line(capsys):
    assert main(["bench", "everything"]) == 2
    assert capsys.readouterr().err.startswith("error: subject: invalid choice: 'everything'")
