"""Loops written by hand around ``apply_update``: one solver, and two that take turns."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import numpy as np
import pytest

import roastery.caffe as caffe

NET = """
layer { name: "d" type: "DummyData" top: "x" top: "t" dummy_data_param {
  shape { dim: 6 dim: 5 } shape { dim: 6 dim: 2 }
  data_filler { type: "gaussian" std: 1 } data_filler { type: "gaussian" std: 3 } } }
layer { name: "a" type: "InnerProduct" bottom: "x" top: "h" param { lr_mult: 1 } param { lr_mult: 2
  decay_mult: 0 } inner_product_param { num_output: 7 weight_filler { type: "xavier" } } }
layer { name: "r" type: "TanH" bottom: "h" top: "h" }
layer { name: "b" type: "InnerProduct" bottom: "h" top: "y"
  inner_product_param { num_output: 2 weight_filler { type: "xavier" } } }
layer { name: "loss" type: "EuclideanLoss" bottom: "y" bottom: "t" top: "loss" }
"""
KINDS = {
    "SGD": 'type: "SGD" momentum: 0.9',
    "Nesterov": 'type: "Nesterov" momentum: 0.9',
    "AdaGrad": 'type: "AdaGrad"',
    "RMSProp": 'type: "RMSProp" rms_decay: 0.9',
    "AdaDelta": 'type: "AdaDelta" momentum: 0.9 delta: 1e-4',
    "Adam": 'type: "Adam" momentum: 0.9 momentum2: 0.99',
}
POLICIES = {
    "step": 'lr_policy: "step" stepsize: 2 gamma: 0.5',
    "multistep": 'lr_policy: "multistep" stepvalue: 1 stepvalue: 3 gamma: 0.1 clip_gradients: 0.7',
    "poly": 'lr_policy: "poly" power: 0.5 iter_size: 2',
    "inv": 'lr_policy: "inv" gamma: 0.3 power: 0.7 regularization_type: "L1"',
}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("roastery.caffe.modes._handler.level", 2)
    return tmp_path


def solver(settings: str, net: str = NET, decay: float = 0.01) -> caffe.SGDSolver:
    Path("net.prototxt").write_text(net)
    Path("solver.prototxt").write_text(
        f'net: "net.prototxt" base_lr: 0.05 max_iter: 9 weight_decay: {decay} random_seed: 3 '
        f'snapshot_prefix: "s" {settings}'
    )
    return caffe.get_solver("solver.prototxt")


def by_hand(trained: caffe.SGDSolver, iterations: int, passes: int = 1) -> None:
    for _ in range(iterations):
        trained.net.clear_param_diffs()
        for _ in range(passes):
            trained.net.forward()
            trained.net.backward()
        trained.apply_update()


def parameters(net: caffe.Net) -> list[np.ndarray]:
    return [blob.data.copy() for blobs in net.params.values() for blob in blobs]


def assert_equal(one: caffe.SGDSolver, other: caffe.SGDSolver) -> None:
    assert (one.iter, one.lr) == (other.iter, other.lr)
    for mine, theirs in zip(parameters(one.net), parameters(other.net), strict=True):
        np.testing.assert_array_equal(mine, theirs)


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("kind", KINDS)
def test_a_loop_by_hand_equals_step(kind: str, policy: str) -> None:
    settings = f"{KINDS[kind]} {POLICIES[policy]}"
    stepped, looped = solver(settings), solver(settings)
    start = parameters(looped.net)
    stepped.step(5)
    by_hand(looped, 5, passes=2 if "iter_size" in settings else 1)
    assert_equal(stepped, looped)
    assert looped.iter == 5
    assert not np.array_equal(start[0], parameters(looped.net)[0])


@pytest.mark.parametrize("kind", ["SGD", "Adam"])
def test_a_loop_goes_on_from_its_snapshot(kind: str) -> None:
    settings = f"{KINDS[kind]} {POLICIES['multistep']}"
    stepped, looped = solver(settings), solver(settings)
    stepped.step(6)
    by_hand(looped, 2)
    looped.snapshot()
    assert Path("s_iter_2.solverstate").exists()
    resumed = solver(settings)
    resumed.restore("s_iter_2.solverstate")
    assert (resumed.iter, resumed.lr) == (looped.iter, looped.lr)
    by_hand(resumed, 3)
    resumed.step(1)
    assert_equal(stepped, resumed)


def test_lr_is_the_rate_of_the_coming_iteration() -> None:
    trained = solver('lr_policy: "multistep" stepvalue: 1 stepvalue: 1 stepvalue: 4 gamma: 0.5')
    seen = []
    for _ in range(6):
        assert trained.lr == trained.lr  # asking moves nothing
        seen.append(trained.lr)
        by_hand(trained, 1)
    assert seen == pytest.approx([0.05, 0.025, 0.0125, 0.0125, 0.00625, 0.00625])
    trained.param.base_lr = 1.0
    assert trained.lr == pytest.approx(0.125)


def test_the_log_names_each_iteration_of_a_loop(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    trained = solver('lr_policy: "step" stepsize: 2 gamma: 0.1 display: 2')
    monkeypatch.setattr("roastery.caffe.modes._handler.level", 0)
    by_hand(trained, 5)
    said = [line.partition("] ")[2] for line in capfd.readouterr().err.splitlines()]
    shown = [line for line in said if "lr =" in line]
    assert shown == [
        "Iteration 0, lr = 0.05",
        "Iteration 2, lr = 0.005",
        "Iteration 4, lr = 0.0005",
    ]


# --- two solvers ---------------------------------------------------------------------------

GENERATOR = """
layer { name: "in" type: "Input" top: "z" input_param { shape { dim: 4 dim: 3 } } }
layer { name: "g1" type: "InnerProduct" bottom: "z" top: "g1"
  inner_product_param { num_output: 6 weight_filler { type: "xavier" } } }
layer { name: "gr" type: "TanH" bottom: "g1" top: "g1" }
layer { name: "g2" type: "InnerProduct" bottom: "g1" top: "fake"
  inner_product_param { num_output: 2 weight_filler { type: "xavier" } } }
"""
NOISE = """
layer { name: "z" type: "DummyData" top: "z"
  dummy_data_param { shape { dim: 4 dim: 3 } data_filler { type: "gaussian" } } }
"""
JUDGE = """
layer { name: "d1" type: "InnerProduct" bottom: "FROM" top: "d1"
  inner_product_param { num_output: 5 weight_filler { type: "xavier" } } }
layer { name: "dr" type: "ReLU" bottom: "d1" top: "d1" relu_param { negative_slope: 0.2 } }
layer { name: "d2" type: "InnerProduct" bottom: "d1" top: "score"
  inner_product_param { num_output: 1 weight_filler { type: "xavier" } } }
layer { name: "loss" type: "SigmoidCrossEntropyLoss" bottom: "score" bottom: "is_real" top: "loss" }
"""
FORCE = "force_backward: true\n"
"""A net without a loss runs backward too, and down to its inputs."""
IN = 'layer { name: "label" type: "Input" top: "is_real" input_param { shape { dim: 4 dim: 1 } } }'
DISCRIMINATOR = (
    FORCE
    + 'layer { name: "in" type: "Input" top: "x" input_param { shape { dim: 4 dim: 2 } } }'
    + IN
    + JUDGE.replace("FROM", "x")
)
BOTH = GENERATOR + IN + JUDGE.replace("FROM", "fake")
"""The generator with a discriminator of its own behind it, which shares the other's weights."""

RULES = {
    "Adam": 'type: "Adam" momentum: 0.5 momentum2: 0.9 delta: 1e-8',
    "SGD": 'type: "SGD" momentum: 0.9',
}
# PyTorch's momentum forgets the rate of earlier steps, Caffe's does not: the rate stays with SGD.
GAN = {
    "Adam": f'{RULES["Adam"]} lr_policy: "step" stepsize: 2 gamma: 0.5',
    "SGD": f'{RULES["SGD"]} lr_policy: "fixed"',
}


class Torch:
    """The same two networks and optimisers in PyTorch, from a solver's starting weights."""

    def __init__(self, torch, rule: str, g: caffe.Net, d: caffe.Net) -> None:
        self.torch = torch
        self.generator = self._net(g, ("g1", "g2"), torch.nn.Tanh())
        self.judge = self._net(d, ("d1", "d2"), torch.nn.LeakyReLU(0.2))
        self.optimizers = []
        for net in (self.generator, self.judge):
            if rule == "Adam":
                made = torch.optim.Adam(net.parameters(), 0.05, betas=(0.5, 0.9), eps=1e-8)
            else:
                made = torch.optim.SGD(net.parameters(), 0.05, momentum=0.9)
            schedule = torch.optim.lr_scheduler.StepLR(made, 2, 0.5 if rule == "Adam" else 1.0)
            self.optimizers.append((made, schedule))

    def _net(self, net: caffe.Net, layers: tuple[str, str], between):
        torch, linear = self.torch, []
        for layer in layers:
            weight, bias = (torch.from_numpy(b.data.copy()) for b in net.params[layer])
            made = torch.nn.Linear(weight.shape[1], weight.shape[0])
            made.weight.data, made.bias.data = weight, bias
            linear.append(made)
        return torch.nn.Sequential(linear[0], between, linear[1])

    def _loss(self, x, real: float):
        score = self.judge(x)
        target = self.torch.full_like(score, real)
        cross = self.torch.nn.functional.binary_cross_entropy_with_logits
        return cross(score, target, reduction="sum") / 4

    def turn(self, z: np.ndarray, x: np.ndarray) -> tuple[float, float]:
        z, x = self.torch.from_numpy(z), self.torch.from_numpy(x)
        losses = []
        for which in (1, 0):
            for net in (self.generator, self.judge):
                net.zero_grad()
            if which == 1:
                loss = self._loss(x, 1.0) + self._loss(self.generator(z).detach(), 0.0)
            else:
                loss = self._loss(self.generator(z), 1.0)
            loss.backward()
            optimizer, schedule = self.optimizers[which]
            optimizer.step()
            schedule.step()
            losses.append(loss.item())
        return losses[0], losses[1]

    def parameters(self) -> list[np.ndarray]:
        nets = (self.generator, self.judge)
        return [p.detach().numpy() for net in nets for p in net.parameters()]


def judge(d: caffe.Net, x: np.ndarray, real: float) -> float:
    """Forward and backward of the discriminator; its loss."""
    d.blobs["x"].data[...] = x
    d.blobs["is_real"].data[...] = real
    loss = float(d.forward()["loss"])
    d.backward()
    return loss


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("way", ["blobs", "shared"])
def test_two_solvers_that_take_turns_equal_pytorch(way: str, rule: str) -> None:
    """``blobs``: pictures and their diffs are handed over. ``shared``: one net holds both, and
    its discriminator's weights are the other solver's, which it must not change."""
    torch = pytest.importorskip("torch")
    d = solver(GAN[rule], DISCRIMINATOR, decay=0)
    frozen = "param { lr_mult: 0 } param { lr_mult: 0 }"
    both = BOTH
    for layer in ("d1", "d2"):
        both = both.replace(f'name: "{layer}"', f'name: "{layer}" {frozen}')
    g = solver(GAN[rule], FORCE + GENERATOR if way == "blobs" else both, decay=0)
    if way == "shared":
        d.share_weights(g.net)
    same = Torch(torch, rule, g.net, d.net)
    # Adam divides small gradients by small ones, so that rounding grows: to 2e-5 in six turns.
    rounding = 5e-5 if rule == "Adam" else 1e-6
    random = np.random.default_rng(5)
    for turn in range(6):
        z = random.normal(size=(4, 3)).astype(np.float32)
        x = random.normal(size=(4, 2)).astype(np.float32) + 2
        g.net.blobs["z"].data[...] = z
        g.net.forward()
        d.net.clear_param_diffs()
        losses = judge(d.net, x, 1.0) + judge(d.net, g.net.blobs["fake"].data, 0.0)
        d.apply_update()
        g.net.clear_param_diffs()
        if way == "blobs":
            fooled = judge(d.net, g.net.blobs["fake"].data, 1.0)
            g.net.backward(fake=d.net.blobs["x"].diff)
        else:
            g.net.blobs["is_real"].data[...] = 1
            fooled = float(g.net.forward()["loss"])
            g.net.backward()
        g.apply_update()
        np.testing.assert_allclose((losses, fooled), same.turn(z, x), rtol=1e-4)
        assert (d.iter, g.iter) == (turn + 1, turn + 1)
        found = [*parameters(g.net)[:4], *parameters(d.net)]
        for mine, theirs in zip(found, same.parameters(), strict=True):
            np.testing.assert_allclose(mine, theirs, rtol=1e-4, atol=rounding)


def test_the_loop_of_the_page_for_those_who_come_from_caffe(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    page = (Path(__file__).parents[2] / "docs" / "migrating.md").read_text()
    (code,) = re.findall(r"take turns\n.*?```python\n(.*?)```", page, re.DOTALL)
    makes = NOISE + GENERATOR.partition("} } }")[2]
    for name, net in (("maker", makes), ("judge", DISCRIMINATOR)):
        solver(f"{GAN['Adam']} snapshot_after_train: false", FORCE * (name == "maker") + net)
        text = Path("solver.prototxt").read_text().replace("net.prototxt", f"{name}.prototxt")
        Path(f"{name}_solver.prototxt").write_text(text.replace('"s"', f'"{name}"'))
        Path("net.prototxt").rename(f"{name}.prototxt")
    run = {"real_pictures": lambda: np.ones((4, 2))}
    monkeypatch.setitem(sys.modules, "caffe", caffe)
    exec(code, run)
    assert (run["maker"].iter, run["judge"].iter) == (9, 9)
    assert Path("judge_iter_9.caffemodel").exists() and Path("maker_iter_9.caffemodel").exists()


@pytest.mark.parametrize("settings", [RULES["SGD"], f"{RULES['Adam']} clip_gradients: 0.5"])
def test_solvers_of_shared_weights_train_the_same_memory(settings: str) -> None:
    """Both update what they share, each with a history of its own."""
    settings += ' lr_policy: "fixed"'
    owner, guest = solver(settings), solver(settings)
    guest.net.params["b"][0].data[...] += 1
    other = NET.replace('name: "a"', 'name: "own"')
    half = solver(settings, other)
    half.net.share_with(owner.net)  # b is shared, own is not
    guest.net.share_with(owner.net)
    before, own = parameters(owner.net), half.net.params["own"][0].data.copy()
    by_hand(guest, 2)
    for moved, old in zip(parameters(owner.net), before, strict=True):
        assert not np.array_equal(moved, old)
    alone = solver(settings)
    by_hand(alone, 2)
    for mine, theirs in zip(parameters(owner.net), parameters(alone.net), strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-5, atol=1e-7)
    between = owner.net.params["b"][0].data.copy()
    half.step(1)
    assert not np.array_equal(owner.net.params["b"][0].data, between)
    assert not np.array_equal(half.net.params["own"][0].data, own)
    np.testing.assert_array_equal(guest.net.params["b"][0].data, half.net.params["b"][0].data)


def test_test_nets_follow_shared_weights() -> None:
    tests = 'lr_policy: "fixed" test_iter: 1 test_interval: 100 test_initialization: false'
    owner, guest = solver(tests), solver(tests)
    guest.net.share_with(owner.net)
    owner.net.params["b"][0].data[...] = 7
    guest.step(1)
    np.testing.assert_array_equal(
        guest.test_nets[0].params["b"][0].data, owner.net.params["b"][0].data
    )


def test_share_weights_gives_the_solvers_weights() -> None:
    trained = solver('lr_policy: "fixed"')
    net = caffe.Net("net.prototxt", caffe.TEST)
    net.params["b"][0].data[...] = 5
    kept = parameters(trained.net)
    trained.share_weights(net)
    for mine, theirs, old in zip(parameters(trained.net), parameters(net), kept, strict=True):
        np.testing.assert_array_equal(mine, old)
        np.testing.assert_array_equal(theirs, old)
