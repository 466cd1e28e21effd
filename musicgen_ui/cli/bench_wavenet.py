"""``bench wavenet``: samples a second of the raw-audio WaveNet on one core, three ways, and on a GPU if any."""

from __future__ import annotations

import argparse
import copy
import platform
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np

from musicgen_ui.cli.report import print_table, write_report

if TYPE_CHECKING:
    from musicgen_ui.models.wavenet.packing import PackedWaveNet
    from musicgen_ui.models.wavenet.raw import RawWaveNet
    from musicgen_ui.models.wavenet.request import RawRequest

CHECKPOINT = "wavenet.safetensors"

STREAMS = (1, 2, 4, 8)

KERNEL_FRAMES, CACHED_FRAMES, NAIVE_SAMPLES = 256, 8, 64
"""How much each way writes in one go: about a tenth of a second, one second, one second."""

CHUNK = 1024


def run(args: argparse.Namespace) -> None:
    """Time the three ways on the same weights, compare what they draw, probe the core, print and write."""
    import torch

    from musicgen_ui.models.wavenet.frames import RATE

    model = _random() if args.random else _shipped(args.checkpoints)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        report = measure(model, args.repeats)
    finally:
        torch.set_num_threads(threads)
    report["weights"] = "random" if args.random else CHECKPOINT
    write_report(args.report or Path("reports") / "bench_wavenet.json", report)
    ways = report["samples a second"]
    naive = ways["naive PyTorch"]
    rows = [(name, f"{speed:.0f}", f"{speed / RATE:.3g}", f"{speed / naive:.0f}") for name, speed in ways.items()]
    print_table(("one core, samples at 16 kHz", "samples/s", "x real time", "x naive"), rows)
    print(f"all draw the same classes: {'yes' if report['same classes'] else 'no'}")
    print(f"first call of the kernel (compiles, or loads what was compiled): {report['first call (s)']:.2f} s\n")
    core = report["core"]
    print(
        f"{core['weights (KB)']:.0f} KB of weights, {core['bytes a sample'] / 1e3:.0f} KB of them read for a sample, "
        f"{core['multiply-adds a sample'] / 1e3:.0f} k multiply-adds"
    )
    print(
        f"this core reads {core['read (GB/s)']:.0f} GB/s from a buffer of that size "
        f"({core['read 32 KB (GB/s)']:.0f} GB/s from 32 KB) and does {core['multiply-adds (G/s)']:.0f} G/s\n"
    )
    rows = [
        (name, f"{entry['cache']:.0f}", f"{entry['arithmetic']:.0f}", f"{100 * entry['share']:.0f} %")
        for name, entry in report["roofline"].items()
    ]
    print_table(("samples/s that the core allows", "by cache", "by arithmetic", "reached"), rows)


def measure(model: RawWaveNet, repeats: int) -> dict[str, Any]:
    """Speeds, what the core allows, and whether all three ways draw alike.

    Args:
        model: the weights, on the CPU.
        repeats: medians are over so many.
    """
    from musicgen_ui.cli.roofline import multiply_add_rate, read_bandwidth
    from musicgen_ui.models.wavenet.fast import RawSampler
    from musicgen_ui.models.wavenet.sampler import sample_cached, sample_naive

    hop = model.config.hop
    sampler = RawSampler(model)
    asked = [_request(model, KERNEL_FRAMES, seed) for seed in range(max(STREAMS))]
    began = time.perf_counter()
    list(sampler.stream([_request(model, 1, 0)], chunk=CHUNK))
    first = time.perf_counter() - began
    # The naive loop at its full width: it goes on from what the kernel wrote over more than a receptive field.
    frames = -(-(model.config.stack.receptive_field + NAIVE_SAMPLES) // hop)
    short, brief = _request(model, frames, 0), _request(model, CACHED_FRAMES, 0)
    known = next(sampler.stream([short], chunk=frames * hop))[0]
    some = known[: frames * hop - NAIVE_SAMPLES]
    speeds = {
        "naive PyTorch": NAIVE_SAMPLES / _seconds(lambda: sample_naive(model, short, some), min(repeats, 3)),
        "cached PyTorch": CACHED_FRAMES * hop / _seconds(lambda: sample_cached(model, [brief]), min(repeats, 3)),
    }
    for count in STREAMS:
        requests, name = asked[:count], f"kernel, {count} stream{'s' * (count > 1)}"
        took = _seconds(lambda requests=requests: list(sampler.stream(requests, chunk=CHUNK)), repeats)
        speeds[name] = count * KERNEL_FRAMES * hop / took
    speeds |= _graph_speeds(model, asked, repeats)
    read, sums = work(sampler.packed)
    size = sampler.packed.weights.nbytes
    core = {
        "weights (KB)": size / 1e3,
        "bytes a sample": read,
        "multiply-adds a sample": sums,
        "read (GB/s)": read_bandwidth(size) / 1e9,
        "read 32 KB (GB/s)": read_bandwidth(32_000) / 1e9,
        "multiply-adds (G/s)": multiply_add_rate() / 1e9,
    }
    drawn = next(sampler.stream([brief], chunk=CACHED_FRAMES * hop))
    return {
        "machine": {"processor": platform.processor() or platform.machine(), "python": platform.python_version()},
        "layers": model.config.layers,
        "receptive field": model.config.stack.receptive_field,
        "samples a second": speeds,
        "kernel over naive": speeds["kernel, 1 stream"] / speeds["naive PyTorch"],
        "same classes": bool(
            np.array_equal(drawn, sample_cached(model, [brief]))
            and np.array_equal(known, sample_naive(model, short, some))
        ),
        "first call (s)": first,
        "core": core,
        "roofline": {f"kernel, {count} stream{'s' * (count > 1)}": _roofline(core, count, speeds) for count in STREAMS},
    }


def _graph_speeds(model: RawWaveNet, asked: Sequence[RawRequest], repeats: int) -> dict[str, float]:
    """Samples a second of the step that a GPU records, where there is a GPU."""
    import torch

    from musicgen_ui.models.wavenet.fast import sampler_of

    if not torch.cuda.is_available():
        return {}
    sampler, speeds = sampler_of(copy.deepcopy(model).to("cuda")), {}
    for count in STREAMS:
        took = _seconds(lambda count=count: list(sampler.stream(asked[:count], chunk=CHUNK)), repeats)
        speeds[f"CUDA graph, {count} stream{'s' * (count > 1)}"] = count * KERNEL_FRAMES * model.config.hop / took
    return speeds


def work(packed: PackedWaveNet) -> tuple[float, float]:
    """Bytes of weights that one stream reads for a sample, and its multiply-adds; padding counts, tables of biases not.

    The past half of a layer is read once for a block of samples.
    """
    from musicgen_ui.models.wavenet.kernel import BLOCK

    residual, skip, classes, features = packed.shape[:4]
    layers = len(packed.dilations)
    half = 2 * residual * residual
    ways_out = layers * residual * (residual + skip) - residual * residual
    head = skip * skip + skip * classes
    read = layers * half + float((half / packed.blocks).sum()) + ways_out + head + features * residual / BLOCK
    return 4.0 * read, float(2 * layers * half + ways_out + head + features * residual)


def _roofline(core: dict[str, float], streams: int, speeds: dict[str, float]) -> dict[str, float]:
    """Samples a second that the core allows, where streams share what is read, and the share that is reached."""
    cache = streams * 1e9 * core["read (GB/s)"] / core["bytes a sample"]
    arithmetic = 1e9 * core["multiply-adds (G/s)"] / core["multiply-adds a sample"]
    reached = speeds[f"kernel, {streams} stream{'s' * (streams > 1)}"]
    return {"cache": cache, "arithmetic": arithmetic, "share": reached / min(cache, arithmetic)}


def _seconds(task: Callable[[], Any], repeats: int) -> float:
    """Median of some runs after one to warm up."""
    task()
    took = []
    for _ in range(repeats):
        began = time.perf_counter()
        task()
        took.append(time.perf_counter() - began)
    return median(took)


def _request(model: RawWaveNet, frames: int, seed: int) -> RawRequest:
    """Random features: the speed does not depend on them."""
    import torch

    from musicgen_ui.models.wavenet.request import RawRequest

    config, rng = model.config, np.random.default_rng(seed)
    with torch.inference_mode():
        table = model.conditioning(
            torch.from_numpy(rng.standard_normal((1, frames, config.frame_features)).astype(np.float32)),
            torch.zeros(1, dtype=torch.int64),
            torch.zeros(1, config.conditions),
        )
    samples = frames * config.hop
    return RawRequest(
        excitation=rng.standard_normal((samples, config.features)).astype(np.float32),
        conditioning=table[0].numpy(),
        uniforms=rng.random(samples, dtype=np.float32),
        active=np.ones(frames, dtype=bool),
    )


def _shipped(folder: Path | None) -> RawWaveNet:
    from musicgen_ui.engine.loading import CHECKPOINTS
    from musicgen_ui.models.checkpoint import load_into
    from musicgen_ui.models.wavenet.raw import RawWaveNet, RawWaveNetConfig

    return load_into((folder or CHECKPOINTS) / CHECKPOINT, RawWaveNet, RawWaveNetConfig, "cpu")


def _random() -> RawWaveNet:
    """Weights of the default sizes that nothing was taught; always the same."""
    import torch

    from musicgen_ui.models.wavenet.raw import RawWaveNet, RawWaveNetConfig

    with torch.random.fork_rng(devices=[]):
        generator = torch.Generator().manual_seed(1)
        model = RawWaveNet(RawWaveNetConfig()).eval()
        with torch.no_grad():
            for weight in model.parameters():
                weight.copy_(torch.randn(weight.shape, generator=generator) / weight.shape[-1] ** 0.5)
    return model
