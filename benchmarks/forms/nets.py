"""The nets, at full size, with random weights, and the sizes that each runs at."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import roastery
from benchmarks.drawn_weights import draw_weights, settle
from benchmarks.zoo import ZOO
from benchmarks.zoo.captioner import STEPS, WIDTH, WORDS, captioner
from benchmarks.zoo.fcn8s import fcn8s
from examples.ssd.make_net import SIZE
from examples.ssd.make_net import deploy as ssd
from roastery.reading import nets
from roastery.weights.parameters import save_weights

Shapes = Mapping[str, tuple[int, ...]]


def _pictures(channels: int, height: int, width: int) -> tuple[Shapes, ...]:
    return tuple({"data": (batch, channels, height, width)} for batch in (1, 5))


@dataclass(frozen=True)
class FormNet:
    """A net in its deploy form.

    Attributes:
        sizes: the shapes of inputs that it runs at; it is exported at the first.
        dynamic: which sizes of its ONNX model may change; "": it is exported at each.
        most_pictures: at which numpy computes it op by op: more take minutes, and much memory.
    """

    name: str
    text: Callable[[], str]
    sizes: tuple[Shapes, ...]
    dynamic: str = "batch"
    most_pictures: int = 5

    def inputs(self, shapes: Shapes, seed: int = 0) -> dict[str, np.ndarray]:
        """Pictures and features at random; words, and where sentences begin."""
        rng = np.random.default_rng(seed)
        made = {}
        for name, shape in shapes.items():
            array = rng.uniform(-1.0, 1.0, shape)
            if name == "words":
                array = rng.integers(0, WORDS, shape)
            elif name == "cont":
                array = rng.random(shape) < 0.8
                array[0] = False
            made[name] = array.astype(np.float32)
        return made


def _zoo(key: str, channels: int, side: int) -> FormNet:
    zoo = ZOO[key]
    return FormNet(zoo.name, lambda: zoo.text(1, deploy=True), _pictures(channels, side, side))


def _sentences(batch: int) -> Shapes:
    return {"words": (STEPS, batch), "cont": (STEPS, batch), "features": (batch, WIDTH)}


NETS: dict[str, FormNet] = {
    "lenet": _zoo("lenet", 1, 28),
    "caffenet": _zoo("caffenet", 3, 227),
    "googlenet": _zoo("googlenet", 3, 224),
    "resnet50": _zoo("resnet50", 3, 224),
    "squeezenet": _zoo("squeezenet", 3, 227),
    "mobilenet": _zoo("mobilenet", 3, 224),
    "fcn8s": FormNet(
        "FCN-8s",
        lambda: fcn8s(1, deploy=True),
        (*_pictures(3, 500, 500), *_pictures(3, 334, 500)),
        "all",
        1,
    ),
    "ssd": FormNet("SSD", ssd, _pictures(3, SIZE, SIZE)),
    "captioner": FormNet(
        "LSTM (captioner)",
        lambda: captioner(1, deploy=True),
        (_sentences(1), _sentences(5)),
        "",
    ),
}


def write_net(net: FormNet, folder: Path, device: str = "cpu") -> tuple[Path, Path]:
    """The prototxt and its weights: seeded, the same every time on a device."""
    prototxt, weights = folder / "net.prototxt", folder / "net.caffemodel"
    prototxt.write_text(net.text())
    executable = roastery.compile(prototxt, device=device, phase="TRAIN")
    draw_weights(executable.program, executable.parameters, np.random.default_rng(1))
    settle(executable, net.inputs(net.sizes[0], seed=1))
    message = nets.read_net(prototxt)
    save_weights(weights, message, executable.program, executable.store)
    return prototxt, weights
