"""How fast a card trains, and what its numbers are like: ``python -m tests.gpu.bench``."""

from __future__ import annotations

import argparse
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property, partial
from statistics import median
from typing import Any

import torch

from tests.benchmarks.comparison import TRIAL_EPOCHS
from tests.benchmarks.launch import run_together
from tests.benchmarks.mnist import require_mnist
from tests.benchmarks.nets import NETS
from tests.benchmarks.options import add_batches, positive
from tests.benchmarks.ours import recipe
from tests.benchmarks.task import BATCH_SIZE, Job
from tests.gpu.command import Situation, add_options, run_parts, use_carried_data
from tests.gpu.nodes import count_nodes, kept_graphs
from tests.gpu.parts import Part, Result, Skip, Turn
from tests.gpu.training import Steps, load_images, long_recipe, milliseconds, timed_epochs
from trainer.backends.choose import Backend
from trainer.batches import batch_bounds
from trainer.data import Images
from trainer.recipe import Recipe
from trainer.runtime import exact_figures

__all__ = ["Benchmark", "main", "make_parser"]

_NET = "seed002"
_PLAIN_NET = "seed001"

_BACKENDS = {"cuda": (Backend.GRAPH, Backend.EAGER), "cpu": (Backend.COMPILED, Backend.EAGER)}
_EAGER_EPOCHS = 3

_STREAMS = (1, 2, 4, 8, 16)
_PROCESSES = (1, 2, 4, 8)
_PROCESS_EPOCHS = 6
_WIDTHS = ((12, 16), (13, 15), (14, 14), (16, 16))
_PROFILED_STEPS = 48
_TRIALS = 40
_TRIAL_STEPS = 20
_ODD_IMAGES = 80
"""Of the last batch of a short training, which is smaller than the others."""


class Benchmark:
    """The parts of the benchmark on one device.

    Args:
        device: that is measured.
        batches: of either part of the data; None for all.
        steps: how many are timed where steps are taken one by one.
    """

    def __init__(self, device: torch.device, batches: int | None, steps: int) -> None:
        self.device = device
        self.batches = batches
        self.steps = steps

    def parts(self) -> list[Part]:
        """Return all parts, in order."""
        backends = _BACKENDS.get(self.device.type, (Backend.EAGER,))
        return [
            *(
                Part(
                    f"training-{net}-{backend}",
                    f"seconds of the epochs and of a trial of {net} by the {backend} backend",
                    partial(self.training, net, backend),
                )
                for net in NETS
                for backend in backends
            ),
            Part("nodes", "nodes of the recorded steps, by kind", self.nodes),
            Part("streams", "a step of several networks at once in one process", self.streams),
            Part("precision", "IEEE and TF32 convolutions: speed and agreement", self.precision),
            Part("alignment", "a step of channel counts that are and are not even", self.alignment),
            Part("memory", "the card's memory over trials of differing networks", self.memory),
            Part("profile", "the kernels of a short epoch", self.profile),
            Part("processes", "a step of several processes at once", self.processes),
        ]

    @cached_property
    def images(self) -> tuple[Images, Images]:
        """The training and the test part, on the device."""
        return load_images(self.device, self.batches)

    @cached_property
    def cold_seconds(self) -> float:
        """What the first training of a process takes, of a few steps: libraries are loaded."""
        text = "conv3 8 bn relu drop0.1\nmaxpool2\ngap\nlinear 10"
        started = time.perf_counter()
        for backend in _BACKENDS.get(self.device.type, (Backend.EAGER,)):
            for _ in timed_epochs(text, self._few(2, _ODD_IMAGES), recipe(2, seed=0), backend, 2):
                pass
        return time.perf_counter() - started

    def training(self, net: str, backend: Backend, turn: Turn) -> Iterator[Result]:
        """Train some epochs: a whole trial by the fast backend, a few by the eager one."""
        cold_seconds = self.cold_seconds
        wanted = _EAGER_EPOCHS if backend is Backend.EAGER else TRIAL_EPOCHS
        how = recipe(TRIAL_EPOCHS, seed=0)
        steps = len(batch_bounds(len(self.images[0]), BATCH_SIZE))
        seconds: list[float] = []
        accuracies: list[float] = []
        for epoch, took in timed_epochs(NETS[net].text, self.images, how, backend, wanted):
            seconds.append(took)
            accuracies.append(epoch.accuracy)
            others = median(seconds[1:] or seconds)
            yield {
                "backend": epoch.backend,
                "steps_per_epoch": steps,
                "first_epoch_seconds": seconds[0],
                "epoch_seconds": others,
                "step_ms": 1000 * others / steps,
                "trial_seconds": seconds[0] + (TRIAL_EPOCHS - 1) * others,
                "trial_measured": len(seconds) == TRIAL_EPOCHS,
                "test_accuracy": accuracies,
                "seconds": seconds,
                "cold_seconds": cold_seconds,
            }

    def nodes(self, turn: Turn) -> Iterator[Result]:
        """Count the nodes of the graphs that a training of two short epochs records."""
        self._only_cuda("CUDA graphs")
        found: Result = {}
        recipes = {"sgd": recipe(2, seed=0), "adamw-averaged": _searched_recipe(2)}
        for net in NETS:
            for name, how in recipes.items():
                with kept_graphs() as graphs:
                    parts = self._few(3, _ODD_IMAGES)
                    for _ in timed_epochs(NETS[net].text, parts, how, Backend.GRAPH, 2):
                        pass
                    found[f"{net} {name}"] = [count_nodes(graph) for graph in graphs]
                yield found

    def streams(self, turn: Turn) -> Iterator[Result]:
        """Take steps of several networks, each on a stream of its own, by turns."""
        self._only_cuda("streams")
        found = dict(turn.earlier)
        for count in _STREAMS:
            if str(count) in found:
                continue
            each = [self._steps(NETS[_NET].text, seed) for seed in range(count)]
            new_stream: Callable[[torch.device], torch.cuda.Stream] = torch.cuda.Stream
            lanes = [new_stream(self.device) for _ in each]

            def take(each: list[Steps] = each, lanes: list[torch.cuda.Stream] = lanes) -> None:
                for steps, lane in zip(each, lanes, strict=True):
                    with torch.cuda.stream(lane):
                        steps.take()

            with exact_figures(self.device):
                together = milliseconds(take, self.steps, self.device)
            found[str(count)] = {"step_ms": together / count}
            yield found

    def precision(self, turn: Turn) -> Iterator[Result]:
        """Compare a step in IEEE and in TF32 arithmetic with each other and with the CPU's."""
        self._only_cuda("TF32 arithmetic")
        found: Result = {}
        convolutions: Any = torch.backends.cudnn.conv  # type: ignore[attr-defined]
        for mode in ("ieee", "tf32"):
            with exact_figures(self.device):
                convolutions.fp32_precision = mode
                step = milliseconds(self._steps(NETS[_NET].text).take, self.steps, self.device)
                found[mode] = {"step_ms": step, **self._differences()}
            yield found

    def alignment(self, turn: Turn) -> Iterator[Result]:
        """Time steps of networks that differ in their channels alone."""
        found: Result = {}
        backend = _BACKENDS.get(self.device.type, (Backend.EAGER,))[0]
        for first, second in _WIDTHS:
            text = (
                f"conv3 {first} relu bn\nconv3 {second} relu bn\nmaxpool2\n"
                f"conv3 {first} relu bn\nconv3 {second} relu bn\ngap\nconv1 10"
            )
            with exact_figures(self.device):
                steps = self._steps(text, backend=backend)
                step = milliseconds(steps.take, self.steps, self.device)
            found[f"{first},{second}"] = {"step_ms": step}
            yield found

    def memory(self, turn: Turn) -> Iterator[Result]:
        """Train many differing networks for an epoch each; the memory must stay the same."""
        self._only_cuda("memory of its own")
        parts = self._few(_TRIAL_STEPS, _ODD_IMAGES)
        kept: dict[str, list[float]] = defaultdict(list)
        for index in range(_TRIALS):
            first, second = 4 + index % 13, 5 + index * 7 % 17
            text = (
                f"conv3 {first} relu bn drop0.1\nconv3 {second} relu bn\nmaxpool2\n"
                f"conv3 {first} bn relu\ngap\nlinear 10"
            )
            how = _searched_recipe(TRIAL_EPOCHS, index)
            started = time.perf_counter()
            for _ in timed_epochs(text, parts, how, Backend.GRAPH, 2):
                pass
            kept["seconds"].append(time.perf_counter() - started)
            kept["reserved_mib"].append(torch.cuda.memory_reserved(self.device) / 2**20)
            # What torch holds in reserve depends on the network; what remains without it must not.
            torch.cuda.empty_cache()
            free, total = torch.cuda.mem_get_info(self.device)
            kept["used_mib"].append((total - free) / 2**20)
            yield {
                "trials": index + 1,
                "growth_mib_after_10": kept["used_mib"][-1] - kept["used_mib"][:10][-1],
                "median_seconds": median(kept["seconds"]),
                **kept,
            }

    def profile(self, turn: Turn) -> Iterator[Result]:
        """Record the kernels of the third epoch of a short training."""
        from torch.profiler import DeviceType, ProfilerActivity

        self._only_cuda("kernels to record")
        parts = self._few(_PROFILED_STEPS, 0)
        epochs = timed_epochs(NETS[_NET].text, parts, long_recipe(), Backend.GRAPH, 3)
        next(epochs), next(epochs)
        activities = [ProfilerActivity.CPU, ProfilerActivity.CUDA]
        with torch.profiler.profile(activities=activities) as profiler:
            _, seconds = next(epochs)
        epochs.close()  # type: ignore[attr-defined]
        count: dict[str, int] = defaultdict(int)
        microseconds: dict[str, float] = defaultdict(float)
        for event in profiler.events() or ():
            if event.device_type == DeviceType.CUDA and not event.is_user_annotation:
                count[event.name] += 1
                microseconds[event.name] += event.time_range.elapsed_us()
        rows = [
            {"kernel": name, "count": count[name], "microseconds": microseconds[name]}
            for name in sorted(count, key=lambda name: -microseconds[name])
        ]
        yield {
            "net": _NET,
            "steps": _PROFILED_STEPS,
            "epoch_seconds": seconds,
            "busy_seconds": sum(microseconds.values()) / 1e6,
            "kernels": sum(count.values()),
            "by_kernel": rows,
        }

    def processes(self, turn: Turn) -> Iterator[Result]:
        """Train in several processes that begin together."""
        if self.device.type == "mps":
            raise Skip("several processes are not measured on MPS")
        found = dict(turn.earlier)
        for count in _PROCESSES:
            if str(count) in found:
                continue
            jobs = [
                Job("ours", _NET, 1, _PROCESS_EPOCHS, 0, self.batches, seed, str(self.device))
                for seed in range(count)
            ]
            measured = run_together(jobs, require_mnist())
            steps = len(batch_bounds(measured[0].images, BATCH_SIZE))
            epoch = median(median(each.steady_seconds) for each in measured)
            found[str(count)] = {
                "backend": measured[0].path,
                "setup_seconds": median(each.setup_seconds for each in measured),
                "epoch_seconds": epoch,
                "step_ms": 1000 * epoch / steps / count,
            }
            yield found

    def _steps(self, text: str, seed: int = 0, backend: Backend = Backend.GRAPH) -> Steps:
        return Steps(text, self.images[0], long_recipe(seed), backend, seed)

    def _few(self, batches: int, more: int) -> tuple[Images, Images]:
        """Return a few batches of training images, some more images, and all for evaluation."""
        training, test = self.images
        count = min(batches * BATCH_SIZE + more, len(training))
        return training.subset(torch.arange(count, device=self.device)), test

    def _differences(self) -> dict[str, float]:
        """Return how far one step of SGD on this device ends from the CPU's."""
        how = long_recipe()
        text = NETS[_PLAIN_NET].text.replace(" drop0.02", "")
        training = self._few(1, 0)[0]
        ours, cpu = (
            Steps(text, training.to(device), how, Backend.EAGER)
            for device in (self.device, torch.device("cpu"))
        )
        # The same batch: each device shuffles and augments by a generator of its own.
        pixels, labels = ours.batch
        cpu.batch = pixels.cpu(), labels.cpu()
        losses = [float(steps.take()) for steps in (ours, cpu)]
        pairs = zip(ours.network.parameters(), cpu.network.parameters(), strict=True)
        weight = max(float((one.cpu() - other).detach().abs().max()) for one, other in pairs)
        return {"loss_difference": abs(losses[0] - losses[1]), "weight_difference": weight}

    def _only_cuda(self, what: str) -> None:
        if self.device.type != "cuda":
            raise Skip(f"{self.device.type} has no {what}")


def _searched_recipe(epochs: int, seed: int = 0) -> Recipe:
    """Return a recipe as studies search it: AdamW along a schedule, averaged weights."""
    plain = recipe(epochs, seed)
    return Recipe(
        epochs=epochs,
        batch_size=BATCH_SIZE,
        averaging=0.998,
        augment=plain.augment,
        optimizer="adamw",
        seed=seed,
    )


def make_parser() -> argparse.ArgumentParser:
    """Return the reader of the command's options."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.gpu.bench", description="Measure how a card trains."
    )
    add_options(parser)
    add_batches(parser)
    parser.add_argument("--steps", type=positive, metavar="N", default=400)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what the file lacks; return the exit code."""
    given = make_parser().parse_args(arguments)
    use_carried_data()

    def parts(situation: Situation) -> list[Part]:
        return Benchmark(situation.device, given.batches, given.steps).parts()

    settings: dict[str, Any] = {"batches": given.batches, "steps": given.steps}
    return run_parts("bench", given, parts, settings)


if __name__ == "__main__":
    sys.exit(main())
