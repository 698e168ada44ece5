"""Mistakes in solver files: each is told before anything is built or written."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from roastery.cli.main import main

NET = """
layer { name: "d" type: "DummyData" top: "x" top: "y"
  dummy_data_param { shape { dim: 4 dim: 3 } shape { dim: 4 } data_filler { type: "gaussian" }
                     data_filler { type: "constant" } } }
layer { name: "ip" type: "InnerProduct" bottom: "x" top: "ip"
  inner_product_param { num_output: 2 weight_filler { type: "xavier" } } }
layer { name: "l" type: "SoftmaxWithLoss" bottom: "ip" bottom: "y" top: "l" }
"""

GOOD = {
    "net": '"net.prototxt"',
    "base_lr": "0.1",
    "lr_policy": '"fixed"',
    "max_iter": "2",
    "snapshot_after_train": "false",
    "solver_mode": "CPU",
}

# what is changed in a good solver file (None: removed), the error's field, part of the message
CASES: list[tuple[dict[str, str | None], str, str]] = [
    ({"bse_lr": "0.1"}, "bse_lr", "SolverParameter has no field `bse_lr`"),
    ({"base_lr": '"0.1"'}, "base_lr", "`base_lr` takes a number"),
    ({"solver_mode": "TPU"}, "solver_mode", "`solver_mode` has no value TPU"),
    ({"max_iter": "-1"}, "max_iter", "max_iter is -1; it counts iterations"),
    ({"max_iter": "1.5"}, "max_iter", "`max_iter` takes an integer"),
    ({"display": "-10"}, "display", "display is -10"),
    ({"iter_size": "0"}, "iter_size", "iter_size is 0"),
    ({"average_loss": "0"}, "average_loss", "average_loss is 0"),
    ({"lr_policy": '"Step"'}, "lr_policy", "unknown lr_policy 'Step'"),
    ({"lr_policy": '"step"', "stepsize": "-5"}, "stepsize", "stepsize is -5"),
    ({"type": '"Momentum"'}, "type", "unknown solver type 'Momentum'"),
    ({"type": '"AdaGrad"', "momentum": "0.9"}, "momentum", "momentum is 0.9, but AdaGrad"),
    ({"type": '"RMSProp"', "rms_decay": "1.5"}, "rms_decay", "rms_decay is 1.5"),
    ({"type": '"Adam"', "momentum": "1"}, "momentum", "momentum is 1; Adam's must be in [0, 1)"),
    ({"type": '"Adam"', "momentum2": "1"}, "momentum2", "momentum2 is 1; Adam's must"),
    ({"type": '"Adam"', "momentum2": "1.5"}, "momentum2", "momentum2 is 1.5; Adam's must"),
    ({"type": '"Adam"', "momentum": "-0.1"}, "momentum", "momentum is -0.1; Adam's must"),
    ({"type": '"Adam"', "delta": "-1"}, "delta", "delta is -1; it must be at least 0"),
    ({"type": '"AdaDelta"', "momentum": "2"}, "momentum", "momentum is 2; AdaDelta's must"),
    ({"type": '"RMSProp"', "rms_decay": "nan"}, "rms_decay", "rms_decay is nan"),
    ({"base_lr": "inf"}, "base_lr", "base_lr is inf; a finite number was expected"),
    ({"base_lr": "nan"}, "base_lr", "base_lr is nan"),
    ({"base_lr": "1e300"}, "base_lr", "a finite number was expected"),
    ({"momentum": "nan"}, "momentum", "momentum is nan"),
    ({"weight_decay": "-inf"}, "weight_decay", "weight_decay is -inf"),
    ({"clip_gradients": "nan"}, "clip_gradients", "clip_gradients is nan"),
    ({"lr_policy": '"inv"', "power": "nan"}, "power", "power is nan"),
    ({"lr_policy": '"step"', "stepsize": "0"}, "lr_policy", "needs a stepsize above 0"),
    ({"lr_policy": '"multistep"', "stepvalue": "-5"}, "lr_policy", "stepvalue is -5"),
    ({"type": '"SGD"', "solver_type": "ADAM"}, "solver_type", "solver_type"),
    ({"regularization_type": '"l2"', "weight_decay": "1"}, "regularization_type", "'l2'"),
    ({"test_iter": "0", "test_interval": "1"}, "test_iter", "test_iter is 0"),
    ({"test_iter": "1"}, "test_iter", "test_iter is given, but no test_interval"),
    ({"test_interval": "5"}, "test_interval", "there is no test_iter"),
    ({"test_net": '"net.prototxt"'}, "", "at least 1 expected"),
    ({"test_state": "{ }", "test_iter": "1 test_iter: 1", "test_interval": "1"}, "test_state",
     "1 test_state given, 2 expected"),
    ({"net": '"nte.prototxt"'}, "net", "there is no file"),
    ({"net": None}, "", "names no train net"),
    ({"train_net": '"net.prototxt"'}, "train_net", "names its train net twice"),
    ({"larc": "true"}, "larc", "`larc` is a setting of another fork's solver"),
    ({"clip_weights": "0.01"}, "clip_weights", "is a setting of another fork's solver"),
    ({"snapshot_format": "HDF4"}, "snapshot_format", "`snapshot_format` has no value HDF4"),
    ({"snapshot_prefix": '"net.prototxt/x"', "snapshot": "1"}, "snapshot_prefix",
     "snapshots cannot go to 'net.prototxt/x'"),
    ({"weights": '"gone.caffemodel"'}, "", "there is no file 'gone.caffemodel'"),
]  # fmt: skip


def solver_text(changes: dict[str, str | None]) -> str:
    fields = {k: v for k, v in {**GOOD, **changes}.items() if v is not None}
    return "".join(
        f"{name}{'' if value.startswith('{') else ':'} {value}\n" for name, value in fields.items()
    )


@pytest.mark.parametrize(("changes", "field", "message"), CASES, ids=lambda v: str(v)[:40])
def test_solver(
    changes: dict[str, str | None],
    field: str,
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("net.prototxt").write_text(NET)
    text = solver_text(changes)
    Path("solver.prototxt").write_text(text)
    code = main(["train", "--solver=solver.prototxt"])
    output = capsys.readouterr().err
    assert code == 1, output
    said = re.findall(r"^error: (.*)$", output, re.MULTILINE)
    assert len(said) == 1
    assert message in said[0]
    if field:
        line = 1 + [part.split(":")[0].split(" ")[0] for part in text.splitlines()].index(field)
        assert said[0].startswith(f"solver.prototxt:{line}:")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["net.prototxt", "solver.prototxt"]


def test_the_good_solver_is_good(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("net.prototxt").write_text(NET)
    Path("solver.prototxt").write_text(solver_text({}))
    assert main(["train", "--solver=solver.prototxt"]) == 0
    assert "Optimization Done." in capsys.readouterr().err
