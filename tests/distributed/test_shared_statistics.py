"""BatchNorm over the records of all ranks: several train as one with all their records does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.support.rank_training import Found, Job, difference, trained
from tests.support.ranks import NET, largest_difference, parameters, small_run, train

pytest.importorskip("torch.distributed", reason="torch is not installed")

BATCH = 3
"""Of each rank."""

COUNTS = (2, pytest.param(4, marks=pytest.mark.exhaustive))


def conv(name: str, bottom: str, outputs: int, stride: int = 1) -> str:
    return f"""
layer {{ name: "{name}" type: "Convolution" bottom: "{bottom}" top: "{name}" convolution_param {{
  num_output: {outputs} kernel_size: 3 pad: 1 stride: {stride} bias_term: false
  weight_filler {{ type: "msra" }} }} }}"""


def norm(bottom: str, top: str = "") -> str:
    return f"""
layer {{ name: "{bottom}_bn" type: "BatchNorm" bottom: "{bottom}" top: "{bottom}"
  batch_norm_param {{ moving_average_fraction: 0.9 }} }}
layer {{ name: "{bottom}_scale" type: "Scale" bottom: "{bottom}" top: "{bottom}"
  scale_param {{ bias_term: true }} }}"""


def relu(blob: str) -> str:
    return f'\nlayer {{ name: "{blob}_relu" type: "ReLU" bottom: "{blob}" top: "{blob}" }}'


def net(body: str, last: str) -> str:
    return f"""name: "small"
layer {{ name: "in_data" type: "Input" top: "data"
  input_param {{ shape {{ dim: BATCH dim: 3 dim: 6 dim: 5 }} }} }}
layer {{ name: "in_label" type: "Input" top: "label"
  input_param {{ shape {{ dim: BATCH }} }} }}{body}
layer {{ name: "pool" type: "Pooling" bottom: "{last}" top: "pool"
  pooling_param {{ pool: AVE global_pooling: true }} }}
layer {{ name: "ip" type: "InnerProduct" bottom: "pool" top: "ip" inner_product_param {{
  num_output: 10 weight_filler {{ type: "xavier" }}
  bias_filler {{ type: "constant" value: 0.1 }} }} }}
layer {{ name: "loss" type: "SoftmaxWithLoss" bottom: "ip" bottom: "label" top: "loss" }}
"""


PLAIN = net(
    conv("c1", "data", 4) + norm("c1") + relu("c1") + conv("c2", "c1", 6) + norm("c2") + relu("c2"),
    "c2",
)
RESIDUAL = net(
    conv("c1", "data", 4)
    + norm("c1")
    + relu("c1")
    + conv("a", "c1", 4, 2)
    + norm("a")
    + relu("a")
    + conv("b", "a", 6)
    + norm("b")
    + conv("short", "c1", 6, 2)
    + norm("short")
    + """
layer { name: "sum" type: "Eltwise" bottom: "short" bottom: "b" top: "sum" }"""
    + relu("sum"),
    "sum",
)
NVIDIA = net(
    conv("c1", "data", 4)
    + """
layer { name: "bn" type: "BatchNorm" bottom: "c1" top: "bn"
  batch_norm_param { scale_bias: true moving_average_fraction: 0.8 } }"""
    + relu("bn")
    + """
layer { name: "flat" type: "InnerProduct" bottom: "bn" top: "flat" inner_product_param {
  num_output: 8 bias_term: false weight_filler { type: "xavier" } } }
layer { name: "bn2" type: "BatchNorm" bottom: "flat" top: "flat"
  batch_norm_param { scale_bias: true } }
layer { name: "image" type: "Reshape" bottom: "flat" top: "image"
  reshape_param { shape { dim: 0 dim: 2 dim: 2 dim: 2 } } }""",
    "image",
)
SEGNET = net(
    conv("c1", "data", 4)
    + """
layer { name: "bn" type: "BN" bottom: "c1" top: "bn" bn_param {
  scale_filler { type: "constant" value: 1 } shift_filler { type: "constant" value: 0.1 } } }"""
    + relu("bn")
    + conv("c2", "bn", 4)
    + """
layer { name: "psp" type: "BN" bottom: "c2" top: "psp" bn_param {
  slope_filler { type: "constant" value: 1 } bias_filler { type: "constant" value: 0.1 }
  momentum: 0.8 } }"""
    + relu("psp"),
    "psp",
)

JOBS = [
    Job("plain", PLAIN, "cpu"),
    Job("plain-layerwise", PLAIN, layerwise=True),
    Job("residual", RESIDUAL),
    Job("nvidia", NVIDIA),
    Job("nvidia-layerwise", NVIDIA, "cpu", layerwise=True),
    Job("segnet", SEGNET),
    Job("segnet-layerwise", SEGNET, layerwise=True),
    Job("plain-apart", PLAIN, together=False),
    Job("nvidia-apart", NVIDIA, together=False),
    Job("segnet-apart", SEGNET, together=False),
]
TOGETHER = [job for job in JOBS if job.together]
APART = [job for job in JOBS if not job.together]


@pytest.fixture(scope="module", params=COUNTS)
def count(request: pytest.FixtureRequest) -> int:
    number: int = request.param
    return number


@pytest.fixture(scope="module")
def found(count: int, tmp_path_factory: pytest.TempPathFactory) -> Found:
    return trained(tmp_path_factory.mktemp("ranks"), JOBS, BATCH, count)


@pytest.fixture(scope="module")
def alone(count: int) -> Callable[[Job], dict[str, np.ndarray]]:
    """What one rank has that trains with the records of all."""
    return lambda job: job.run(BATCH * count)


@pytest.mark.parametrize("job", TOGETHER, ids=lambda job: job.name)
def test_ranks_are_as_one_with_a_larger_batch(
    job: Job, found: Found, alone: Callable[[Job], dict[str, np.ndarray]], count: int
) -> None:
    ranks = found[job.name]
    assert len(ranks) == count
    assert difference(ranks[0], alone(job)) < 1e-5
    for other in ranks[1:]:  # parameters and statistics, bit for bit
        assert all(np.array_equal(array, ranks[0][name]) for name, array in other.items())


@pytest.mark.parametrize("job", APART, ids=lambda job: job.name)
def test_without_it_they_are_not(
    job: Job, found: Found, alone: Callable[[Job], dict[str, np.ndarray]]
) -> None:
    """Each has statistics of its own, and other gradients follow from those."""
    first, second, *_ = found[job.name]
    expected = alone(job)
    weights = [name for name in expected if name.startswith("c1/")]
    assert difference({n: first[n] for n in weights}, {n: expected[n] for n in weights}) > 1e-3
    assert difference(first, second) > 1e-3


@pytest.mark.exhaustive
def test_on_the_command_line(tmp_path: Path) -> None:
    """What snapshots hold, with tests on the way."""
    place = 'layer { name: "relu"'
    normalised = NET.replace(place, f"{norm('conv').strip()}\n{place}")
    assert normalised != NET
    runs = {}
    for ranks, words in ((1, ()), (2, ["--sync-batch-norm"])):
        folder = small_run(tmp_path / str(ranks), 16 // ranks, net=normalised)
        train(folder, "--device=reference", *words, ranks=ranks)
        runs[ranks] = parameters(folder, 10)
        del runs[ranks]["conv[1]"]  # a bias before BatchNorm: its gradient is 0, but for rounding
    assert largest_difference(runs[2], runs[1]) < 1e-5
