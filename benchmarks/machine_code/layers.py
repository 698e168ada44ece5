"""Hot layers of known nets, and the kernels that multiply for them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from compiler.kernel import Launch
from compiler.options import CompileOptions
from compiler.passes.autodiff import differentiate
from compiler.pipeline import compile_graph
from compiler.precision import FLOAT16
from compiler.target import Target
from compiler.triton.lower import lower_node
from ir.graph import Graph
from ir.program import NetProgram
from roastery.building import NetRequest, lower_net
from roastery.building.logger import logger_report
from roastery.reading import nets

BATCH = 64
NORM = ' layer { name: "bn" type: "BatchNorm" bottom: "y" top: "z" }'
FORWARD, WEIGHTS, INPUT = "forward", "weight gradient", "input gradient"


@dataclass(frozen=True)
class Layer:
    """A square convolution of images with sides of ``extent``, padded to keep it.

    ``normalized``: its kernel sums up what BatchNorm asks for, too. ``any_size``: the kernels are
    for images and batches of any size, as those of users' nets.
    """

    name: str
    extent: int
    channels: int
    outputs: int
    window: int
    normalized: bool = False
    any_size: bool = False

    def __str__(self) -> str:
        return self.name

    @property
    def text(self) -> str:
        """As a net in prototxt."""
        shape = f"dim: {BATCH} dim: {self.channels} dim: {self.extent} dim: {self.extent}"
        return (
            f'input: "x" input_shape {{ {shape} }} '
            'layer { name: "conv" type: "Convolution" bottom: "x" top: "y" '
            f"convolution_param {{ num_output: {self.outputs} bias_term: false "
            f"kernel_size: {self.window} pad: {self.window // 2} }} }}"
        ) + NORM * self.normalized


# Where most multiplications of a training pass are.
LAYERS = (
    Layer("ResNet-50 3x3 128", 28, 128, 128, 3),
    Layer("ResNet-50 1x1 256 to 1024", 14, 256, 1024, 1),
    Layer("ResNet-50 3x3 512", 7, 512, 512, 3),
    Layer("MobileNet 1x1 512", 14, 512, 512, 1),
    Layer("VGG-16 3x3 256", 56, 256, 256, 3),
    Layer("VGG-16 3x3 512", 14, 512, 512, 3),
)


def products(layer: Layer, target: Target, precision: str) -> Iterator[tuple[str, Launch]]:
    """The launches that multiply in a forward and backward pass, each with which way it goes."""
    program = _program(layer)
    if layer.any_size:
        program = program.general or program
    options = CompileOptions(target, precision)
    compiled = compile_graph(_graph(program, precision), lower_node, options)
    ways = {"conv": FORWARD, "conv_weight_grad": WEIGHTS, "conv_input_grad": INPUT}
    for launch in compiled.launches:
        if way := ways.pop(launch.kernel.entry, None):
            yield way, launch
    assert not ways, f"{layer}: no kernel is named {', '.join(ways)}"


def _program(layer: Layer) -> NetProgram:
    message = nets.net_from_text(layer.text, f"{layer}.prototxt")
    return lower_net(NetRequest(message, nets.state_message("TRAIN")), logger_report()).program


def _graph(program: NetProgram, precision: str) -> Graph:
    learning = [c.name for c in program.variables.values() if c.learns]
    diffs = {p.name: p.value for p in program.graph.inputs if p.name in program.inputs}
    return differentiate(
        program.graph,
        parameters=learning,
        diffs=diffs,
        seeded=list(program.outputs),
        scaled=precision == FLOAT16,
    )
