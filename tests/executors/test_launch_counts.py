"""How many launches and kernels nets become: bounds, so that growth is seen."""

from __future__ import annotations

from compiler.compiled import CompiledGraph
from roastery.reading import nets
from tests.support import program_kernels as kernels
from tests.support.lowering import program_of
from tests.support.sample_nets import recurrent, residual


def compiled(text: str) -> tuple[CompiledGraph, CompiledGraph]:
    program = program_of(nets.net_from_text(text, "net.prototxt"), "TRAIN")
    return kernels.forward(program), kernels.training(program)


def largest(graph: CompiledGraph) -> int:
    """Most arguments of a kernel."""
    return max(len(launch.arguments) for launch in graph.launches)


def test_two_lstm_layers_over_twenty_steps() -> None:
    forward, training = compiled(recurrent(steps=20, streams=16, hidden=256))
    # One product (with the sum of its parts) and one cell per step and layer; the rest once.
    assert len(forward.launches) <= 130, len(forward.launches)
    assert len(forward.kernels) <= 10, len(forward.kernels)
    assert len(training.launches) <= 430, len(training.launches)
    assert len(training.kernels) <= 36, len(training.kernels)
    assert largest(training) <= 64, largest(training)


def test_steps_share_their_kernels() -> None:
    """More steps are more launches of the same kernels."""
    counts = [len(compiled(recurrent(steps=n, hidden=16))[0].kernels) for n in (6, 12)]
    assert counts[0] == counts[1]


def test_residual_units_share_their_kernels() -> None:
    """A deep net of equal units, as ResNet-50 is, compiles few kernels."""
    few, many = (compiled(residual(side=8, units=n))[1] for n in (3, 12))
    assert len(many.launches) > 3 * len(few.launches)
    assert len(many.kernels) <= len(few.kernels) + 2
