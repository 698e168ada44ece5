"""Every registered layer has records, and every record runs and has the gradient it should."""

from __future__ import annotations

import dataclasses
import re

import numpy as np
import pytest

from frontends.lowering.known_layers import layer_types
from frontends.lowering.layer_type import LayerType
from roastery.inspection.layer_table import OWN
from tests.support.layer_cases import LayerCase, all_cases
from tests.support.layer_run import LayerRun, directional_error, in_single

CASES = all_cases()


def _needs_record(kind: LayerType) -> bool:
    """Layers that the runtime feeds or that call the host are tested with what they read or run;
    those that other tests register, there."""
    return not kind.source and not kind.host and kind.name != "Input" and kind.fork != OWN


def test_every_layer_has_a_record() -> None:
    recorded = {c.layer_type for c in CASES}
    missing = [n for n, kind in layer_types().items() if _needs_record(kind) and n not in recorded]
    assert not missing, f"no record in tests/layers/records for {', '.join(missing)}"


@pytest.mark.parametrize("case", CASES, ids=str)
def test_record_runs(case: LayerCase) -> None:
    run = LayerRun(case)
    assert case.layer_type in {layer.type for layer in run.program.layers}
    single = in_single(run.values)
    exact, rounded = run.forward(), run.forward(single)
    assert exact
    for port in run.outputs():
        assert rounded[port.name].dtype == port.value.type.dtype.numpy
        np.testing.assert_allclose(
            rounded[port.name], exact[port.name], rtol=3e-4, atol=3e-5, err_msg=port.name
        )


@pytest.mark.parametrize("case", [c for c in CASES if c.checks_gradient], ids=str)
def test_gradient_is_the_derivative(case: LayerCase) -> None:
    error, size = directional_error(LayerRun(case))
    assert size > 1e-6, "the derivative along a random direction is zero"
    assert error < 1e-5


EMPTY = ("convolution", "deconvolution", "im2col", "pooling_max_mask", "pooling_ave", "lrn_within",
         "batch_norm_train", "inner_product", "scale", "dropout_train", "concat")  # fmt: skip


@pytest.mark.parametrize("case", [c for c in CASES if c.name in EMPTY], ids=str)
def test_an_empty_batch_passes(case: LayerCase) -> None:
    """What follows a Filter that kept nothing."""
    text = re.sub(r"(input_param { shape { dim: )\d+", r"\g<1>0", case.prototxt)
    run = LayerRun(dataclasses.replace(case, prototxt=text, inputs=None))
    assert run.forward()["y"].shape[0] == 0
    gradients = run.gradients({p.name: np.zeros(p.value.shape) for p in run.outputs()})
    assert all(np.isfinite(g).all() for g in gradients.values())
