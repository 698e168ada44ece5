"""What is no input, or no array of numbers, is told before anything runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import roastery

NET = """
layer { name: "in" type: "Input" top: "x" top: "spare"
  input_param { shape { dim: 1 dim: 3 } shape { dim: 2 } } }
layer { name: "made" type: "DummyData" top: "d" dummy_data_param { shape { dim: 1 dim: 3 } } }
layer { name: "sum" type: "Eltwise" bottom: "x" bottom: "d" top: "y" }
"""


@pytest.fixture
def net(tmp_path: Path) -> Path:
    path = tmp_path / "net.prototxt"
    path.write_text(NET)
    return path


@pytest.mark.parametrize(
    ("shapes", "message"),
    [
        ({"X": (1, 3)}, "shapes has 'X', which is no input of the net\n  hint: inputs: x, spare"),
        ({"y": (1, 3)}, "shapes has 'y', which is no input"),
    ],
)
def test_shapes_of_what_is_no_input(
    shapes: dict[str, tuple[int, ...]], message: str, net: Path
) -> None:
    with pytest.raises(roastery.RoasteryError) as error:
        roastery.compile(net, shapes=shapes)
    assert message in str(error.value)


def test_shapes_of_inputs_that_nobody_reads(net: Path) -> None:
    assert roastery.compile(net, shapes={"spare": (7,)}).inputs["spare"] == (7,)


@pytest.mark.parametrize(
    "value",
    [
        None,
        "abc",
        ["a", "b", "c"],
        np.array(["2020-01-01"], "M8[D]"),
        [[1, 2, 3], [4]],
        np.array([[object()] * 3]),
        np.ones((1, 3), complex),
    ],
)
def test_inputs_that_are_no_numbers(value: Any, net: Path) -> None:
    executable = roastery.compile(net)
    with pytest.raises(roastery.RoasteryError, match="input 'x' must be an array of numbers"):
        executable(x=value, spare=[0, 0])
    assert executable(x=[[1, 2, 3]], spare=[0, 0])["y"].shape == (1, 3)


def test_inputs_of_the_gradient_check(net: Path) -> None:
    def sizes(**inputs: Any) -> dict[str, int]:
        report = roastery.check_gradient(net, inputs=inputs)
        return {row.name: row.elements for row in report.rows}

    assert sizes() == sizes(x=(1, 3)) == {"x": 3, "spare": 2, "d": 3}
    assert sizes(spare=(7,), x=np.ones((1, 3))) == {"x": 3, "spare": 7, "d": 3}
    for name in ("X", "y"):
        with pytest.raises(roastery.RoasteryError, match=f"inputs has '{name}', which is no input"):
            sizes(**{name: (1, 3)})
    assert sizes(x=(2, 3), d=(2, 3)) == {"x": 6, "spare": 2, "d": 6}


def test_an_input_may_be_called_as_a_parameter_of_the_call(net: Path) -> None:
    net.write_text(NET.replace('"x"', '"self"'))
    executable = roastery.compile(net, phase="TRAIN")
    x = np.ones((1, 3), np.float32)
    assert np.array_equal(executable(self=x, spare=x[0, :2])["y"], x)
