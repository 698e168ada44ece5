"""Every record of a layer, through its kernels: outputs, written variables and diffs."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

import roastery
from runtime.interpret.backend import InterpretBackend
from tests.support.executor_run import Results, differences, fused, layerwise, rounded, seeds_of
from tests.support.layer_cases import LayerCase, all_cases
from tests.support.layer_run import LayerRun

TOLERANCE = 1e-4
Plan = Callable[[LayerRun, InterpretBackend], Results]


@pytest.fixture(scope="module")
def backend() -> InterpretBackend:
    return InterpretBackend()


@pytest.mark.parametrize("case", all_cases(), ids=str)
@pytest.mark.parametrize("plan", [layerwise, fused])
def test_kernels_compute_the_layer(plan: Plan, case: LayerCase, backend: InterpretBackend) -> None:
    run = rounded(LayerRun(case))
    outputs, diffs = plan(run, backend)
    truth, gradients = run.forward(), run.gradients(seeds_of(run))
    assert truth.keys() >= set(run.program.outputs)
    learning = {c.name for c in run.program.variables.values() if c.learns}
    assert gradients.keys() >= learning & diffs.keys()
    errors = differences(outputs, truth)
    errors |= {f"diff of {name}": e for name, e in differences(diffs, gradients).items()}
    assert {name: e for name, e in errors.items() if not e <= TOLERANCE} == {}


@pytest.mark.parametrize("case", [c for c in all_cases() if c.layer_type == "Accuracy"], ids=str)
@pytest.mark.parametrize("plan", [layerwise, fused])
def test_scores_that_are_nan_are_never_right(
    plan: Plan, case: LayerCase, backend: InterpretBackend
) -> None:
    run = rounded(LayerRun(case))
    run.values["x"][...] = np.nan
    outputs, _ = plan(run, backend)
    assert not any(array.any() for array in outputs.values())


EMPTY = ("convolution", "deconvolution", "pooling_max_mask", "pooling_ave", "lrn_within",
         "batch_norm_train", "inner_product", "scale", "dropout_train", "concat")  # fmt: skip


@pytest.mark.parametrize("case", [c for c in all_cases() if c.name in EMPTY], ids=str)
def test_an_empty_batch_launches_nothing_wrong(case: LayerCase, backend: InterpretBackend) -> None:
    text = re.sub(r"(input_param { shape { dim: )\d+", r"\g<1>0", case.prototxt)
    run = LayerRun(dataclasses.replace(case, prototxt=text, inputs=None))
    outputs, diffs = fused(run, backend)
    assert outputs["y"].shape[0] == 0
    learning = [c.name for c in run.program.variables.values() if c.learns]
    assert all(not diffs[name].any() for name in learning)
    assert all(np.isfinite(array).all() for array in diffs.values())


@pytest.mark.parametrize("freeze", [False, True])
def test_layers_without_tops(freeze: bool, tmp_path: Path) -> None:
    text = """
    layer { name: "d" type: "Input" top: "x" input_param { shape { dim: 2 dim: 3 } } }
    layer { name: "ip" type: "InnerProduct" bottom: "x" top: "a"
      inner_product_param { num_output: 3 weight_filler { type: "xavier" } } }
    layer { name: "scale" type: "Scale" bottom: "a" top: "b" }
    layer { name: "file" type: "HDF5Output" bottom: "b" bottom: "x"
      hdf5_output_param { file_name: "FILE" } }
    layer { name: "quiet" type: "Silence" bottom: "b" }
    layer { name: "relu" type: "ReLU" bottom: "b" top: "c" }
    """.replace("FILE", str(tmp_path / "out.h5"))
    (tmp_path / "n.prototxt").write_text(text)
    net = roastery.compile(tmp_path / "n.prototxt", device="interpret", freeze=freeze)
    assert net(x=np.ones((2, 3), np.float32))["c"].shape == (2, 3)
    with h5py.File(tmp_path / "out.h5") as file:
        assert file["data"].shape == (2, 3, 1, 1)
