"""The losses of SSD on the CPU, forward and backward, beside plain PyTorch.

    python benchmarks/detection_losses.py
    python benchmarks/detection_losses.py --batch 8 --threads 1 --seconds 5

MultiBoxLoss of 8732 priors and 21 classes, as SSD300 is trained with, and SmoothL1Loss of as many
offsets. Both compute the same, which is compared first; then they take turns, and the median of all
passes counts. A ratio is Roastery's time over PyTorch's: less than 1 is faster.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np

from roastery.building import NetRequest, lower_net
from roastery.building.logger import logger_report
from roastery.devices.backends import open_backend
from roastery.devices.compile_options import CompileRequest, compile_options
from roastery.reading import nets
from runtime.memory.store import Store
from runtime.net import PartitionedNet

Arrays = dict[str, np.ndarray]
Found = tuple[float, dict[str, np.ndarray]]
Pass = Callable[[], Found]

RATIO, OVERLAP = 3, 0.5
VARIANCE = (0.1, 0.1, 0.2, 0.2)


def priors(rng: np.random.Generator) -> np.ndarray:
    """The 8732 boxes of SSD300, (P, 4), in shares of the image."""
    found = []
    for cells, scale, larger, shapes in (
        (38, 0.10, 0.20, (2.0,)),
        (19, 0.20, 0.37, (2.0, 3.0)),
        (10, 0.37, 0.54, (2.0, 3.0)),
        (5, 0.54, 0.71, (2.0, 3.0)),
        (3, 0.71, 0.88, (2.0,)),
        (1, 0.88, 1.05, (2.0,)),
    ):
        sizes = [(scale, scale), ((scale * larger) ** 0.5,) * 2]
        for shape in shapes:
            wide = (scale * shape**0.5, scale / shape**0.5)
            sizes += [wide, wide[::-1]]
        centre = (np.arange(cells) + 0.5) / cells
        y, x = np.meshgrid(centre, centre, indexing="ij")
        middle = np.stack([x, y], -1).reshape(-1, 1, 2)
        half = np.array(sizes).reshape(1, -1, 2) / 2
        found.append(np.concatenate([middle - half, middle + half], -1).reshape(-1, 4))
    return np.concatenate(found).astype(np.float32)


def inputs(batch: int, classes: int) -> Arrays:
    """Of a batch with two or three boxes in each image, near priors."""
    rng = np.random.default_rng(0)
    boxes = priors(rng)
    count = len(boxes)
    truth = []
    for image in range(batch):
        for _ in range(2 + image % 2):
            box = np.clip(boxes[rng.integers(count)] + rng.normal(0, 0.02, 4), 0, 1)
            low, high = np.minimum(box[:2], box[2:]), np.maximum(box[:2], box[2:]) + 0.01
            truth.append([image, rng.integers(1, classes), 0, *low, *high, 0])
    prior = np.stack([boxes.reshape(-1), np.tile(VARIANCE, count)])
    return {
        "loc": rng.standard_normal((batch, count * 4)),
        "conf": rng.standard_normal((batch, count * classes)) * 2,
        "prior": prior[np.newaxis],
        "gt": np.array(truth)[np.newaxis, np.newaxis],
    }


def roastery_pass(layer: str, arrays: Arrays, wanted: list[str]) -> Pass:
    """One layer forward and backward on device ``cpu``."""
    lines = ["force_backward: true"]
    for name, array in arrays.items():
        dims = " ".join(f"dim: {d}" for d in array.shape)
        lines.append(
            f'layer {{ name: "{name}" type: "Input" top: "{name}" '
            f"input_param {{ shape {{ {dims} }} }} }}"
        )
    message = nets.net_from_text("\n".join([*lines, layer]), "losses")
    state = nets.net_state(message, "TRAIN", 0, ())
    layers = lower_net(NetRequest(message, state, {}), logger_report()).layers
    backend = open_backend("cpu")
    options = compile_options(backend, CompileRequest(), print)
    store = Store(layers.program.variables, seed=1)
    net = PartitionedNet(layers.program, backend, store, None, layers.part, options=options)
    net.inputs.take({name: array.astype(np.float32) for name, array in arrays.items()})
    net.prepare_backward()

    def run() -> Found:
        net.forward()
        loss = float(net.output("loss"))
        diffs = net.backward_from({})
        return loss, {name: diffs[name] for name in wanted}

    return run


def torch_multibox(arrays: Arrays, classes: int) -> Pass:
    """The same as MultiBoxLoss with SSD's usual settings, image by image where it must be."""
    import torch
    from torch.nn import functional

    batch = len(arrays["loc"])
    loc = torch.tensor(arrays["loc"], dtype=torch.float32).reshape(batch, -1, 4)
    conf = torch.tensor(arrays["conf"], dtype=torch.float32).reshape(batch, -1, classes)
    rows = torch.tensor(arrays["gt"][0, 0], dtype=torch.float32)
    prior, variance = torch.tensor(arrays["prior"][0], dtype=torch.float32).reshape(2, -1, 4)
    loc.requires_grad_()
    conf.requires_grad_()
    size = prior[:, 2:] - prior[:, :2]
    centre = (prior[:, 2:] + prior[:, :2]) / 2
    area = size[:, 0] * size[:, 1]

    def matched(boxes: torch.Tensor) -> torch.Tensor:
        """The number of the box of each prior, -1: none."""
        low = torch.maximum(boxes[:, None, :2], prior[None, :, :2])
        high = torch.minimum(boxes[:, None, 2:], prior[None, :, 2:])
        common = (high - low).clamp(min=0).prod(2)
        mine = (boxes[:, 2:] - boxes[:, :2]).prod(1)
        overlaps = common / (mine[:, None] + area[None] - common)
        best, number = overlaps.max(0)
        number[best < OVERLAP] = -1
        left = overlaps.clone()
        for _ in range(len(boxes)):
            place = int(left.argmax())
            row, column = divmod(place, left.shape[1])
            number[column] = row
            left[row] = -1
            left[:, column] = -1
        return number

    def run() -> Found:
        loc.grad = conf.grad = None
        losses, labels = [], torch.zeros(conf.shape[:2], dtype=torch.long)
        with torch.no_grad():
            wanted = []
            for image in range(batch):
                mine = rows[rows[:, 0] == image]
                number = matched(mine[:, 3:7])
                there = number >= 0
                picked = mine[number[there]]
                labels[image, there] = picked[:, 1].long()
                low, high = picked[:, 3:5], picked[:, 5:7]
                offset = ((low + high) / 2 - centre[there]) / size[there] / variance[there, :2]
                growth = torch.log((high - low) / size[there]) / variance[there, 2:]
                wanted.append((there, torch.cat([offset, growth], 1)))
        for image, (there, target) in enumerate(wanted):
            losses.append(functional.smooth_l1_loss(loc[image, there], target, reduction="sum"))
        each = functional.cross_entropy(
            conf.reshape(-1, classes), labels.reshape(-1), reduction="none"
        ).reshape(labels.shape)
        positive = labels > 0
        with torch.no_grad():
            hard = each.detach().clone()
            hard[positive] = -1
            rank = hard.argsort(1, descending=True).argsort(1)
            negative = (rank < RATIO * positive.sum(1, keepdim=True)) & ~positive
        number = positive.sum().clamp(min=1)
        loss = (sum(losses) + each[positive | negative].sum()) / number
        loss.backward()
        assert loc.grad is not None and conf.grad is not None
        return loss.item(), {"loc": loc.grad.numpy(), "conf": conf.grad.numpy()}

    return run


def torch_smooth_l1(arrays: Arrays) -> Pass:
    """SmoothL1Loss of two blobs: a sum over the batch size."""
    import torch
    from torch.nn import functional

    a, c = (torch.tensor(arrays[name], dtype=torch.float32) for name in ("a", "b"))
    a.requires_grad_()

    def run() -> Found:
        a.grad = None
        loss = functional.smooth_l1_loss(a, c, reduction="sum") / len(a)
        loss.backward()
        assert a.grad is not None
        return loss.item(), {"a": a.grad.numpy()}

    return run


def compare(ours: Found, theirs: Found) -> None:
    """Exit if they differ."""
    errors = {"loss": abs(ours[0] - theirs[0]) / abs(theirs[0])}
    for name, array in theirs[1].items():
        mine = ours[1][name].reshape(array.shape)
        errors[name] = float(np.linalg.norm(mine - array) / np.linalg.norm(array))
    print("  relative errors: " + ", ".join(f"{k} {v:.1e}" for k, v in errors.items()))
    if not all(error < 1e-4 for error in errors.values()):
        sys.exit("they do not compute the same")


def in_turn(one: Pass, other: Pass, seconds: float) -> tuple[list[float], list[float]]:
    """Milliseconds of passes of both, which take turns."""
    times: tuple[list[float], list[float]] = ([], [])
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(times[0]) < 5:
        for run, found in zip((one, other), times, strict=True):
            began = time.perf_counter()
            run()
            found.append(1e3 * (time.perf_counter() - began))
    return times


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--classes", type=int, default=21, help="with the background")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--seconds", type=float, default=10.0, help="of each loss")
    arguments = parser.parse_args()
    os.environ["ROASTERY_THREADS"] = str(arguments.threads)
    import torch

    torch.set_num_threads(arguments.threads)
    boxes = inputs(arguments.batch, arguments.classes)
    multibox = (
        'layer { name: "l" type: "MultiBoxLoss" bottom: "loc" bottom: "conf" bottom: "prior" '
        'bottom: "gt" top: "loss" multibox_loss_param { '
        f"num_classes: {arguments.classes} code_type: CENTER_SIZE neg_pos_ratio: {RATIO} }} }}"
    )
    smooth = 'layer { name: "l" type: "SmoothL1Loss" bottom: "a" bottom: "b" top: "loss" }'
    offsets = {"a": boxes["loc"], "b": boxes["loc"][::-1].copy()}
    cases = (
        (
            "MultiBoxLoss",
            roastery_pass(multibox, boxes, ["loc", "conf"]),
            torch_multibox(boxes, arguments.classes),
        ),
        ("SmoothL1Loss", roastery_pass(smooth, offsets, ["a"]), torch_smooth_l1(offsets)),
    )
    for name, ours, theirs in cases:
        print(f"{name}, batch {arguments.batch}, {arguments.threads} threads")
        compare(ours(), theirs())
        mine, others = in_turn(ours, theirs, arguments.seconds)
        here, there = statistics.median(mine), statistics.median(others)
        print(f"  Roastery {here:.1f} ms, PyTorch {there:.1f} ms, ratio {here / there:.2f}")
        print(f"  the fastest {min(mine):.1f} and {min(others):.1f} ms, {len(mine)} passes each")


if __name__ == "__main__":
    main()
