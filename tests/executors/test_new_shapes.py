"""A net at another batch or image size is planned again; in the same tiles it needs no kernel of
another text. tests/plan/test_batch_of_one.py looks at batches of one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from compiler.compiled import CompiledGraph
from examples.googlenet.make_net import googlenet
from ir.program import NetProgram
from roastery.reading import nets
from tests.support import program_kernels as kernels
from tests.support.lowering import program_of
from tests.support.sample_nets import fully_convolutional, inception, lenet

Specialization = Callable[[NetProgram], Sequence[CompiledGraph]]
PLANS: dict[str, Specialization] = {
    "forward": lambda program: [kernels.forward(program)],
    "training": lambda program: [kernels.training(program)],
    "layerwise": lambda program: list(kernels.layerwise(program)),
}


def launched(text: str, phase: str, plan: Specialization) -> kernels.Texts:
    program = program_of(nets.net_from_text(text, "net.prototxt"), phase)
    return kernels.texts(plan(program))


def check(variants: Sequence[str], phase: str, plan: Specialization) -> None:
    first, *others = (launched(variant, phase, plan) for variant in variants)
    for other in others:
        assert len(first.keys() & other.keys()) > 4
        assert kernels.unknown(other, first) == []
        assert kernels.unknown(first, other) == []


@pytest.mark.parametrize("phase", ["TRAIN", "TEST"])
@pytest.mark.parametrize("plan", PLANS)
def test_batches(plan: str, phase: str) -> None:
    check([lenet(batch) for batch in (64, 2, 16, 17)], phase, PLANS[plan])
    check([inception(*size) for size in ((8, 14), (3, 9), (2, 17))], phase, PLANS[plan])


@pytest.mark.parametrize("phase", ["TRAIN", "TEST"])
@pytest.mark.parametrize("plan", PLANS)
def test_images(plan: str, phase: str) -> None:
    # Square ones too: height and width are two arguments even when they are one number.
    sizes = [(2, 40, 48), (2, 40, 40), (3, 33, 65), (2, 64, 32)]
    check([fully_convolutional(*size) for size in sizes], phase, PLANS[plan])


@pytest.mark.parametrize("plan", ["forward", "training"])
def test_single_images(plan: str) -> None:
    sizes = [(1, 40, 48), (1, 40, 40), (1, 33, 65)]
    check([fully_convolutional(*size) for size in sizes], "TEST", PLANS[plan])


@pytest.mark.parametrize("plan", ["forward", "training"])
def test_googlenet_at_other_batches(plan: str) -> None:
    check([googlenet(batch) for batch in (32, 8)], "TRAIN", PLANS[plan])


@pytest.mark.parametrize("plan", ["forward", "training"])
def test_googlenet_at_other_images(plan: str) -> None:
    """Without its classifiers, whose weights belong to one size of image."""
    trunk = googlenet(8).partition('layer {\n  name: "pool5')[0]
    assert "inception_5b/output" in trunk
    check([trunk, trunk.replace("dim: 224", "dim: 256")], "TEST", PLANS[plan])
    if plan == "training":  # `test_single_images` trains on one image
        return
    alone = trunk.replace("dim: 8 ", "dim: 1 ", 1)
    check([alone, alone.replace("dim: 224", "dim: 256")], "TEST", PLANS[plan])
