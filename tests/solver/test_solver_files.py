"""Solver files: which nets they name, and what is refused, with its place."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from frontends.prototxt import parse_text
from ir.errors import RoasteryError
from roastery.reading.solver_settings import read_solver, read_solver_file
from roastery.training.solvers import assemble, build_solver

Run = Callable[..., str]

LAYERS = """
layer { name: "x" type: "DummyData" top: "x" top: "y" dummy_data_param {
  shape { dim: 4 dim: 3 } shape { dim: 4 } data_filler { type: "gaussian" } data_filler { } } }
layer { name: "ip" type: "InnerProduct" bottom: "x" top: "ip"
  inner_product_param { num_output: 2 weight_filler { type: "xavier" } } }
layer { name: "extra" type: "Accuracy" bottom: "ip" bottom: "y" top: "accuracy"
  include { phase: TEST } }
layer { name: "stage" type: "Silence" bottom: "ip" include { stage: "special" } }
layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip" bottom: "y" top: "loss" }
"""
HEAD = 'base_lr: 0.1\nlr_policy: "fixed"\nmax_iter: 2\nsnapshot_after_train: false\n'
NET = 'net: "net.prototxt"\n'


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("net", "other"):
        (tmp_path / f"{name}.prototxt").write_text(f'name: "{name}"\n{LAYERS}')
    return tmp_path


def build(text: str):
    return assemble(parse_text(HEAD + text, "SolverParameter", file="solver.prototxt"))


def layer_names(net) -> list[str]:
    return [layer.name for layer in net.program.layers if layer.type != "Split"]


REFUSED = {
    "no net": ("", "names no train net"),
    "two nets": (NET + 'train_net: "net.prototxt"', "in train_net and net"),
    "net missing": ('net: "gone.prototxt"', "there is no file 'gone.prototxt'"),
    "type": (NET + 'type: "adam"', "did you mean 'Adam'"),
    "momentum": (NET + 'type: "AdaGrad" momentum: 0.9', "AdaGrad uses none"),
    "regularization": (NET + 'regularization_type: "L3"', "unknown regularization_type 'L3'"),
    "test_interval": (NET + "test_iter: 1", "no test_interval"),
    "test_iter": (NET + "test_interval: 5", "no test_iter"),
    "test_iter 0": (NET + "test_iter: 0 test_interval: 1", "at least one batch"),
    "test_net without iter": (
        'train_net: "net.prototxt" test_net: "other.prototxt" test_interval: 1',
        "0 test_iter given, 1 expected",
    ),
    "test_state": (
        NET + "test_iter: 1 test_interval: 1 test_state { } test_state { }",
        "2 test_state given, 1 expected",
    ),
    "both types": (NET + 'type: "SGD" solver_type: ADAM', "both"),
    "display": (NET + "display: -1", "display is -1"),
    "iter_size": (NET + "iter_size: 0", "iter_size is 0"),
    "average_loss": (NET + "average_loss: 0", "average_loss is 0"),
    "no prefix": (NET + "snapshot: 1", "no snapshot_prefix"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_is_refused_with_its_place(case: str) -> None:
    text, words = REFUSED[case]
    with pytest.raises(RoasteryError) as caught:
        message = parse_text(HEAD + text, "SolverParameter", file="solver.prototxt")
        assemble(read_solver(message))
    assert words in str(caught.value)
    assert caught.value.location is not None
    assert caught.value.location.file == "solver.prototxt" and caught.value.location.line >= 1


@pytest.mark.parametrize(
    ("policy", "words"),
    [('"wavy"', "unknown lr_policy 'wavy'"), ('"step"', "needs a stepsize above 0")],
)
def test_bad_policies(policy: str, words: str) -> None:
    text = f'net: "net.prototxt" base_lr: 1\nlr_policy: {policy}'
    with pytest.raises(RoasteryError, match=words) as caught:
        assemble(parse_text(text, "SolverParameter", file="solver.prototxt"))
    assert caught.value.location is not None and caught.value.location.line == 2


def test_the_generic_net_is_tested_too() -> None:
    built = build(NET + "test_iter: 3 test_interval: 1")
    assert layer_names(built.train) == ["x", "ip", "loss"]
    assert layer_names(built.tests[0]) == ["x", "ip", "extra", "loss"]


def test_named_test_nets_come_first() -> None:
    built = build(
        NET + 'test_net: "other.prototxt" test_iter: 1 test_iter: 2 test_interval: 1'
        f' test_net_param {{ name: "inline" {LAYERS} }} test_iter: 3'
    )
    assert [test.program.name for test in built.tests] == ["inline", "other", "net"]


@pytest.mark.parametrize(
    "text",
    [
        NET,
        'train_net: "net.prototxt"',
        f"net_param {{ {LAYERS} }}",
        f"train_net_param {{ {LAYERS} }}",
    ],
    ids=["net", "train_net", "net_param", "train_net_param"],
)
def test_four_ways_to_name_the_train_net(text: str) -> None:
    solver = build(text).solver
    solver.step(1)
    assert solver.iteration == 1


def test_states_of_train_and_test_nets() -> None:
    built = build(
        NET + 'train_state { stage: "special" } test_iter: 1 test_iter: 1 test_interval: 1 '
        'test_state { } test_state { stage: "special" }'
    )
    assert "stage" in layer_names(built.train)
    assert ["stage" in layer_names(test) for test in built.tests] == [False, True]


def test_test_nets_share_parameters_and_have_their_own_rest() -> None:
    built = build(NET + "test_iter: 1 test_interval: 1")
    train, test = built.train.store, built.tests[0].store
    assert test.data["ip/0"] is train.data["ip/0"]
    assert test.diff["ip/0"] is not train.diff["ip/0"]
    before = train.data["ip/0"].array.copy()
    built.solver.step(1)
    assert (test.data["ip/0"].array != before).any()


def test_a_test_net_that_cannot_share_is_refused(folder: Path) -> None:
    text = (folder / "other.prototxt").read_text().replace("num_output: 2", "num_output: 5")
    (folder / "other.prototxt").write_text(text)
    with pytest.raises(RoasteryError, match="2 x 3 in the train net and 5 x 3 in this one"):
        build('train_net: "net.prototxt" test_net: "other.prototxt" test_iter: 1 test_interval: 1')


def test_one_seed_makes_two_runs_equal() -> None:
    def losses(seed: int) -> list[float]:
        solver = build(NET + f"random_seed: {seed}").solver
        return [solver.train.forward_backward() for _ in range(3)]

    assert losses(5) == losses(5) != losses(6)


def test_snapshot_prefix_is_filled_in(folder: Path) -> None:
    (folder / "my_solver.prototxt").write_text(HEAD + NET)
    file = read_solver_file("my_solver.prototxt")
    assert (file.message.snapshot_prefix, file.prefix) == ("my_solver", "unset")
    (folder / "kept").mkdir()
    (folder / "my_solver.prototxt").write_text(HEAD + NET + 'snapshot_prefix: "kept"')
    file = read_solver_file("my_solver.prototxt")
    assert (file.message.snapshot_prefix, file.prefix) == ("kept/my_solver", "directory")


def test_the_folder_for_snapshots_is_made_before_training(folder: Path) -> None:
    solver = build(NET + 'snapshot: 1 snapshot_prefix: "a/b/c"').solver
    assert (folder / "a" / "b").is_dir()
    solver.step(1)
    assert (folder / "a" / "b" / "c_iter_1.solverstate").exists()


def test_a_folder_that_cannot_be_made_is_an_error(folder: Path) -> None:
    (folder / "file").write_text("")
    with pytest.raises(RoasteryError, match="snapshots cannot go to 'file/x'"):
        build(NET + 'snapshot: 1 snapshot_prefix: "file/x"')


def test_a_wrong_net_leaves_no_folder(folder: Path) -> None:
    (folder / "bad.prototxt").write_text('layer { name: "x" type: "Wobble" top: "x" }')
    with pytest.raises(RoasteryError, match="Wobble"):
        build('net: "bad.prototxt" snapshot: 1 snapshot_prefix: "a/b"')
    assert not (folder / "a").exists()


def test_weights_field(folder: Path) -> None:
    first = build(NET + 'snapshot: 1 snapshot_prefix: "first"').solver
    first.step(1)
    second = build(NET + 'weights: "first_iter_1.caffemodel"').solver
    ours, theirs = (s.train.store.data["ip/0"].array for s in (first, second))
    assert (ours == theirs).all()


def test_build_solver_reads_files(folder: Path) -> None:
    (folder / "solver.prototxt").write_text(HEAD + NET)
    for layerwise in (False, True):
        solver = build_solver("solver.prototxt", layerwise=layerwise)
        solver.solve()
        assert solver.iteration == 2


# --- the command -------------------------------------------------------------------------------


def train(roastery: Run, text: str, *words: str, code: int = 0) -> str:
    Path("solver.prototxt").write_text(HEAD + text)
    return roastery("train", "--solver=solver.prototxt", *words, code=code)


@pytest.mark.skipif(
    "__import__('roastery.devices.backends').devices.backends.cuda_missing() is None"
)
def test_gpu_mode_without_a_gpu_is_one_note(roastery: Run) -> None:
    log = train(roastery, NET + "solver_mode: GPU")
    assert log.count("training on the CPU") == 1
    assert "Use CPU." in log and "Optimization Done." in log
    assert "training on the CPU" not in train(roastery, NET)
    assert "there" in train(roastery, NET, "-gpu", "0", code=1)


def test_flags_that_exclude_each_other(roastery: Run) -> None:
    assert "not both" in train(roastery, NET, "--snapshot=a", "--weights=b", code=1)
    assert "explode" in train(roastery, NET, "--sigint_effect=explode", code=1)
    assert "--solver is missing" in roastery("train", code=1)


def test_level_and_stage(roastery: Run) -> None:
    log = train(roastery, NET, "-stage", "special", "-level", "3")
    assert '  level: 3\n  stage: "special"' in log
    assert "Creating Layer stage" in log


def test_missing_files(roastery: Run) -> None:
    assert "gone" in train(roastery, NET, "--weights=gone.caffemodel", code=1)
    assert "gone" in train(roastery, NET, "--snapshot=gone.solverstate", code=1)
    assert "there is no file" in roastery("train", "--solver=gone.prototxt", code=1)


def test_nets_and_solver_files_are_told_apart(roastery: Run) -> None:
    Path("a_net.prototxt").write_text('layer { name: "x" type: "Input" top: "x" }')
    Path("a_solver.prototxt").write_text('net: "a_net.prototxt" base_lr: 0.1')
    error = roastery("train", "--solver=a_net.prototxt", code=1)
    assert "a_net.prototxt is a net, not a solver file" in error
    error = roastery("compile", "a_solver.prototxt", code=1)
    assert "a_solver.prototxt is a solver file, not a net" in error
