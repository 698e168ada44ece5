"""The whole CUDA executor without a GPU: the driver is made of Python, kernels are interpreted.

Device memory is not the host's: what is not copied is not there.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from compiler.options import CompileOptions
from roastery.bench.groups import groups_of
from roastery.bench.measure import measured
from runtime.backends.reference import ReferenceBackend
from runtime.cuda.speed import RatedSpeed
from runtime.memory.store import Store
from runtime.net import PartitionedNet
from tests.support.executor_run import differences, fused, layerwise, rounded, seeds_of
from tests.support.interpreting_gpu import InterpretingGpu
from tests.support.layer_cases import LayerCase, all_cases
from tests.support.layer_run import LayerRun
from tests.support.sample_nets import inception, lenet
from tests.support.training_run import lowered, train, worst

TOLERANCE = 1e-4
CASES = ("convolution", "pooling_max_mask", "lrn_across", "batch_norm_train", "dropout_train",
         "softmax_loss", "inner_product", "embed", "lstm", "filter", "scale")  # fmt: skip


@pytest.fixture
def gpu(tmp_path: Path) -> InterpretingGpu:
    return InterpretingGpu(tmp_path)


@pytest.mark.parametrize("case", [c for c in all_cases() if c.name in CASES], ids=str)
def test_layers(case: LayerCase, gpu: InterpretingGpu) -> None:
    run = rounded(LayerRun(case))
    truth, gradients = run.forward(), run.gradients(seeds_of(run))
    backend = gpu.backend()
    for plan in (fused, layerwise):
        outputs, diffs = plan(run, backend)
        gpu.fake.check()
        errors = differences(outputs, truth)
        errors |= {f"diff of {name}": e for name, e in differences(diffs, gradients).items()}
        assert {name: e for name, e in errors.items() if not e <= TOLERANCE} == {}


@pytest.mark.parametrize("plan", ["fused", "layerwise"])
def test_lenet_learns_as_on_the_reference(plan: str, gpu: InterpretingGpu) -> None:
    text = re.sub("num_output: (20|50)0?", "num_output: 6", lenet(2, 16))
    settings = {"clip_gradients": 0.5, "layerwise": plan == "layerwise", "display": 1}
    ours = train(text, gpu.backend(), 2, **settings)
    theirs = train(text, ReferenceBackend(), 2, **settings)
    gpu.fake.check()
    np.testing.assert_allclose(ours.losses, theirs.losses, rtol=1e-4)
    assert worst(ours.data, theirs.data) < TOLERANCE
    assert ours.log.count("Gradient clipping") == theirs.log.count("Gradient clipping") > 0


def test_other_sizes_need_no_other_kernels(gpu: InterpretingGpu) -> None:
    """A net at another batch and picture size uses the kernels that are there."""
    backend = gpu.backend()
    counts = []
    for variant in (inception(1, 6), inception(2, 6), inception(1, 7)):
        program = lowered(variant)
        net = PartitionedNet(
            program, backend, Store(program.variables, seed=1), options=CompileOptions()
        )
        expected = PartitionedNet(
            program, ReferenceBackend(), Store(program.variables, seed=1), options=CompileOptions()
        )
        rng = np.random.default_rng(0)
        arrays = {name: rng.random(blob.shape) for name, blob in net.inputs.items()}
        for one in (net, expected):
            one.inputs.take(arrays)
            one.forward()
        np.testing.assert_allclose(net.output("loss"), expected.output("loss"), rtol=1e-4)
        counts.append(len({job.kernel for job in gpu.compiled}))
    gpu.fake.check()
    assert counts[1:] == counts[:1] * 2, "another size printed another kernel"
    # A size may pick another of a kernel's few tiles; what was there is not compiled again.
    assert len(gpu.compiled) == len({(job.kernel, job.config) for job in gpu.compiled})
    assert len(gpu.fake.images) == len(gpu.compiled)


@pytest.mark.parametrize("freeze", [False, True])
def test_layers_without_tops_and_losses_without_names(
    freeze: bool, gpu: InterpretingGpu, tmp_path: Path
) -> None:
    text = """
    layer { name: "in" type: "Input" top: "x" input_param { shape { dim: 2 dim: 3 } } }
    layer { name: "ip" type: "InnerProduct" bottom: "x" top: "a"
      inner_product_param { num_output: 3 weight_filler { type: "xavier" } } }
    layer { name: "file" type: "HDF5Output" bottom: "a" bottom: "x"
      hdf5_output_param { file_name: "FILE" } }
    layer { name: "quiet" type: "Silence" bottom: "a" }
    layer { name: "loss" type: "EuclideanLoss" bottom: "a" bottom: "x" }
    layer { name: "loss" type: "EuclideanLoss" bottom: "a" bottom: "x" loss_weight: 3 }
    """
    program = lowered(text.replace("FILE", str(tmp_path / "out.h5")))
    found = []
    for backend in (gpu.backend(), ReferenceBackend()):
        net = PartitionedNet(
            program,
            backend,
            Store(program.variables, seed=1),
            freeze=freeze,
            options=CompileOptions(),
        )
        net.inputs.take({"x": np.ones((2, 3), np.float32)})
        net.forward()
        found.append((net.forward_backward(), net.store.diff["ip/0"].peek().copy()))
    gpu.fake.check()
    (loss, diff), (expected, gradient) = found
    np.testing.assert_allclose(loss, expected, rtol=1e-5)
    np.testing.assert_allclose(diff, gradient, rtol=1e-4)
    assert gradient.any() and (tmp_path / "out.h5").exists()


def test_kernels_alone(gpu: InterpretingGpu) -> None:
    """What `roastery bench` does: ports of a lone group, in whatever layout, and its times."""
    backend = gpu.backend()
    options = CompileOptions(replace(backend.target, layout="channels-by-4"))
    groups = groups_of(lowered(inception(1, 4, 3)), options, backward=True)
    found = list(measured(groups, backend, options, RatedSpeed(1e10, 1e11), repeats=1))
    gpu.fake.check()
    assert {row.kernel: row.error for row in found if not row.error <= TOLERANCE} == {}
    assert sum(row.count for row in found) > len(found) > 20
    assert {row.limit for row in found} == {"arithmetic", "memory"}
