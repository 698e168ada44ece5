"""A whole net that is measured: as a command's arguments choose it, with seeded numbers."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from benchmarks.predicted.nets import BATCHES, NETS
from benchmarks.zoo import ZOO
from benchmarks.zoo.captioner import WORDS
from benchmarks.zoo.fcn8s import CLASSES
from compiler.precision import PRECISIONS
from frontends.prototxt import Message
from ir.program import NetProgram
from roastery.building import NetRequest, lower_net
from roastery.building.logger import logger_report
from roastery.devices.compile_options import CompileRequest, compile_options
from roastery.reading import nets
from runtime.backends.backend import Backend
from runtime.memory.store import Store
from runtime.net import PartitionedNet

_CLASSES = {"fcn8s": CLASSES, "captioner": WORDS}


def net_parser(description: str | None, net: str) -> argparse.ArgumentParser:
    """With the arguments that :func:`chosen_net` reads. ``net``: the one by default."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--net", choices=NETS, default=net)
    parser.add_argument("--batch", type=int, help="default: the one that it is trained with")
    parser.add_argument("--precision", choices=PRECISIONS, help="of Roastery's matrix products")
    parser.add_argument("--json", metavar="FILE", help="write the numbers too")
    return parser


@dataclass(frozen=True)
class MeasuredNet:
    """A net in one of its two forms, lowered. ``classes``: that labels and words name."""

    name: str
    batch: int
    classes: int
    precision: str | None
    message: Message
    program: NetProgram

    def built(
        self, backend: Backend, precision: str | None = None, *, freeze: bool = False
    ) -> PartitionedNet:
        """With seeded parameters and inputs, equal on every backend."""
        options = compile_options(backend, CompileRequest(precision or self.precision), print)
        store = Store(self.program.variables, seed=1)
        net = PartitionedNet(self.program, backend, store, options=options, freeze=freeze)
        random = np.random.default_rng(0)
        for name, blob in net.inputs.items():
            blob.data.array[...] = self._values(name, blob.shape, random)
        return net

    def _values(self, name: str, shape: tuple[int, ...], random: np.random.Generator) -> np.ndarray:
        if name in ("label", "words"):
            return random.integers(0, self.classes, shape)
        if name == "cont":  # sequences begin where the pass does
            return np.broadcast_to(np.arange(shape[0])[:, None] > 0, shape)
        return random.random(shape)


def measured_net(
    name: str,
    batch: int | None = None,
    precision: str | None = None,
    *,
    trains: bool = True,
    edit: Callable[[str], str] = str,
) -> MeasuredNet:
    """A net of those that are measured, for training or to be run alone.

    Args:
        batch: None: the one that it is trained with.
        edit: of the prototxt.
    """
    known = ZOO.get(name)
    batch = batch or (known.train_batch if known else BATCHES[name])
    text = edit(NETS[name](batch, deploy=not trains))
    message = nets.net_from_text(text, f"{name}.prototxt")
    request = NetRequest(message, nets.state_message("TRAIN" if trains else "TEST"))
    program = lower_net(request, logger_report()).program
    classes = known.classes if known else _CLASSES.get(name, 1000)
    return MeasuredNet(name, batch, classes, precision, message, program)


def chosen_net(arguments: argparse.Namespace) -> MeasuredNet:
    """As a command's arguments choose it, for training."""
    return measured_net(arguments.net, arguments.batch, arguments.precision)
