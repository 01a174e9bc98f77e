"""The loop that the seeds' notebooks share: torchvision, a DataLoader, one call per operation."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset, Subset
from torchvision import datasets, transforms

from space.network import build
from tests.benchmarks.nets import NETS
from tests.benchmarks.task import (
    BATCH_SIZE,
    DEGREES,
    FILL,
    LEARNING_RATE,
    MEAN,
    MOMENTUM,
    STD,
    EpochFigures,
    Job,
    Measurement,
)

__all__ = ["measure"]

Loader = DataLoader[tuple[Tensor, Tensor]]
Part = Dataset[tuple[Tensor, Tensor]]


def measure(job: Job, root: Path, start_line: Callable[[], None]) -> Measurement:
    """Trains as the notebooks do.

    Args:
        job: what to train.
        root: folder of ``MNIST/raw``.
        start_line: returns when the measured part may begin; the data set is open by then.
    """
    training, test = _datasets(job, root)
    start_line()
    started = time.perf_counter()
    torch.manual_seed(job.seed)
    network = build(NETS[job.net].architecture())
    optimizer = torch.optim.SGD(network.parameters(), lr=LEARNING_RATE, momentum=MOMENTUM)
    training_loader, test_loader = (
        DataLoader(part, batch_size=BATCH_SIZE, shuffle=True, num_workers=job.loader_workers)
        for part in (training, test)
    )
    setup_seconds = time.perf_counter() - started
    epochs = tuple(
        _epoch(network, optimizer, training_loader, test_loader) for _ in range(job.epochs)
    )
    return Measurement(setup_seconds, _length(training), epochs)


def _datasets(job: Job, root: Path) -> tuple[Part, Part]:
    tensor_steps = [transforms.ToTensor(), transforms.Normalize((MEAN,), (STD,))]
    rotation = transforms.RandomRotation((-DEGREES, DEGREES), fill=(FILL,))
    training: Part = datasets.MNIST(
        str(root), train=True, transform=transforms.Compose([rotation, *tensor_steps])
    )
    test: Part = datasets.MNIST(str(root), train=False, transform=transforms.Compose(tensor_steps))
    return _cut(training, job.batches), _cut(test, job.batches)


def _cut(part: Part, batches: int | None) -> Part:
    if batches is None:
        return part
    return Subset(part, range(min(_length(part), batches * BATCH_SIZE)))


def _length(part: Any) -> int:
    return len(part)


def _epoch(
    network: nn.Module, optimizer: torch.optim.Optimizer, training: Loader, test: Loader
) -> EpochFigures:
    started = time.perf_counter()
    loss, train_accuracy = _train(network, optimizer, training)
    test_accuracy = _test(network, test)
    return EpochFigures(time.perf_counter() - started, loss, train_accuracy, test_accuracy)


def _train(
    network: nn.Module, optimizer: torch.optim.Optimizer, loader: Loader
) -> tuple[float, float]:
    network.train()
    correct, processed, total = 0, 0, 0.0
    for pixels, labels in loader:
        optimizer.zero_grad()
        output = F.log_softmax(network(pixels), dim=-1)
        loss = F.nll_loss(output, labels)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        guess = output.argmax(dim=1, keepdim=True)
        correct += int(guess.eq(labels.view_as(guess)).sum().item())
        processed += len(pixels)
        total += loss.item() * len(pixels)  # which the notebooks show at every batch
    return total / processed, correct / processed


def _test(network: nn.Module, loader: Loader) -> float:
    network.eval()
    correct, processed, total = 0, 0, 0.0
    with torch.no_grad():
        for pixels, labels in loader:
            output = F.log_softmax(network(pixels), dim=-1)
            total += F.nll_loss(output, labels, reduction="sum").item()
            guess = output.argmax(dim=1, keepdim=True)
            correct += int(guess.eq(labels.view_as(guess)).sum().item())
            processed += len(pixels)
    return correct / processed
