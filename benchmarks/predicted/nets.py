"""What a pass of each benchmark net launches, moves and multiplies on an H100, and what it is
predicted to take."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import astuple, dataclass, fields
from pathlib import Path

from benchmarks.zoo import ZOO
from benchmarks.zoo.captioner import captioner
from benchmarks.zoo.fcn8s import fcn8s
from benchmarks.zoo.vgg16 import vgg16
from compiler.architecture import Architecture
from compiler.options import CompileOptions
from compiler.precision import BFLOAT16, FLOAT32, TF32
from compiler.target import typical
from compiler.triton.cost.prediction import predictions
from roastery.building import NetRequest, lower_net
from roastery.building.logger import logger_report
from roastery.inspection.compilation import compile_program
from roastery.reading import nets

ZOO_NETS = ("lenet", "caffenet", "vgg16", "googlenet", "resnet50", "squeezenet", "mobilenet")
NETS = {
    **{name: ZOO[name].text if name in ZOO else vgg16 for name in ZOO_NETS},
    "fcn8s": fcn8s,
    "captioner": captioner,
}
TITLES = {
    **{name: ZOO[name].name for name in ZOO_NETS if name in ZOO},
    "caffenet": "CaffeNet (AlexNet)",
    "vgg16": "VGG-16",
    "fcn8s": "FCN-8s",
    "captioner": "LSTM captioner",
}
BATCHES = {**dict.fromkeys(NETS, 64), "fcn8s": 8}
PASSES = {"inference": "TEST", "training": "TRAIN"}
PRECISIONS = (FLOAT32, TF32, BFLOAT16)
DEVICE = typical(Architecture(90))


@dataclass(frozen=True)
class Row:
    """A pass of a net. ``products``: launches that multiply matrices. ``milliseconds``: predicted;
    ``roofline``: what no kernels beat."""

    net: str
    kind: str
    precision: str
    launches: int
    products: int
    megabytes: float
    gigaflops: float
    milliseconds: float
    roofline: float

    @property
    def key(self) -> tuple[str, str, str]:
        return self.net, self.kind, self.precision

    @staticmethod
    def head() -> str:
        return " ".join(
            name.ljust(width) if width > 0 else name.rjust(-width)
            for name, width in zip((f.name for f in fields(Row)), _WIDTHS, strict=True)
        )

    def __str__(self) -> str:
        """A line of the table."""
        *counts, megabytes, gigaflops, milliseconds, roofline = astuple(self)
        cells = [*map(str, counts), f"{megabytes:.1f}", f"{gigaflops:.2f}"]
        cells += [_two_digits(milliseconds), _two_digits(roofline)]
        return " ".join(
            cell.ljust(width) if width > 0 else cell.rjust(-width)
            for cell, width in zip(cells, _WIDTHS, strict=True)
        )


_WIDTHS = (10, 9, 9, -8, -8, -10, -10, -12, -10)  # to the right where negative


def _two_digits(number: float) -> str:
    return f"{float(f'{number:.2g}'):g}"


def counted(name: str, kind: str) -> Iterator[Row]:
    """In each precision: what `train` runs; of inference what `export` writes, where BatchNorm is
    part of the weights."""
    phase = PASSES[kind]
    text = NETS[name](BATCHES[name], deploy=phase == "TEST")
    message = nets.net_from_text(text, f"{name}.prototxt")
    request = NetRequest(message, nets.state_message(phase))
    program = lower_net(request, logger_report()).program
    for precision in PRECISIONS:
        options = CompileOptions(DEVICE, precision)
        compiled = compile_program(program, options, backward=phase == "TRAIN").compiled
        found = list(predictions(compiled, DEVICE))
        launches = sum(one.times for one in found)
        assert launches == compiled.plan.launch_count
        yield Row(
            name,
            kind,
            precision,
            launches,
            sum(one.times for one in found if one.flops),
            sum(one.times * one.nbytes for one in found) / 1e6,
            sum(one.times * one.flops for one in found) / 1e9,
            sum(one.times * one.time.seconds for one in found) * 1e3,
            sum(one.times * one.least for one in found) * 1e3,
        )


def read_rows(path: Path) -> list[Row]:
    """Those of a table; none where it is not there."""
    if not path.is_file():
        return []
    found = []
    for line in path.read_text(encoding="utf-8").splitlines()[1:]:
        net, kind, precision, *numbers = line.split()
        if len(numbers) == len(fields(Row)) - 3:
            launches, products = (int(number) for number in numbers[:2])
            found.append(Row(net, kind, precision, launches, products, *map(float, numbers[2:])))
    return found
