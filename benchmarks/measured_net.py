"""A whole net that is measured: as a command's arguments choose it, with seeded numbers."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from benchmarks.zoo import ZOO
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

NETS = ("lenet", "googlenet", "resnet50")


def net_parser(description: str | None, net: str) -> argparse.ArgumentParser:
    """With the arguments that :func:`measured_net` reads. ``net``: the one by default."""
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
    """``classes``: that labels name. ``program``: for training."""

    name: str
    batch: int
    classes: int
    precision: str | None
    message: Message
    program: NetProgram

    def built(self, backend: Backend, precision: str | None = None) -> PartitionedNet:
        """With seeded parameters and inputs, equal on every backend."""
        options = compile_options(backend, CompileRequest(precision or self.precision), print)
        store = Store(self.program.variables, seed=1)
        net = PartitionedNet(self.program, backend, store, options=options)
        random = np.random.default_rng(0)
        for name, blob in net.inputs.items():
            label, shape = name == "label", blob.shape
            values = random.integers(0, self.classes, shape) if label else random.random(shape)
            blob.data.array[...] = values
        return net


def measured_net(arguments: argparse.Namespace, edit: Callable[[str], str] = str) -> MeasuredNet:
    """``edit``: of the prototxt."""
    chosen = ZOO[arguments.net]
    batch = arguments.batch or chosen.train_batch
    message = nets.net_from_text(edit(chosen.text(batch)), f"{arguments.net}.prototxt")
    request = NetRequest(message, nets.state_message("TRAIN"))
    program = lower_net(request, logger_report()).program
    return MeasuredNet(arguments.net, batch, chosen.classes, arguments.precision, message, program)
