"""Shapes on the command line."""

from __future__ import annotations

import pytest

from roastery.cli.command import Arguments, UsageError
from roastery.cli.shape_flags import shapes, shapes_to_plan


def test_shapes_by_name() -> None:
    given = Arguments(shape=["data=1,3,8, 8", "a=b=2x3", "data=1x3x8x8"])
    assert shapes(given) == {"data": (1, 3, 8, 8), "a=b": (2, 3)}


def test_shapes_that_are_planned_for() -> None:
    given = Arguments(plan_for=["data=8,3 info=8", "data=1,3"])
    assert shapes_to_plan(given) == [{"data": (8, 3), "info": (8,)}, {"data": (1, 3)}]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["data"], "--shape=data: must be NAME=DIM,DIM,..."),
        (["data=1,-2"], "--shape=data=1,-2: must be"),
        (["data=1,,2"], "--shape=data=1,,2: must be"),
        (["=1,2"], "--shape==1,2: must be"),
        (["data=" + "9" * 19], "must be"),
        (["data=1,2", "data=1,3"], "--shape=data=1,3: 'data' has another shape before"),
    ],
)
def test_what_is_no_shape(words: list[str], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        shapes(Arguments(shape=words))
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("word", "message"),
    [
        (" ", "--plan-for names no shape"),
        ("data=1,2 info", "--plan-for=data=1,2 info: must be NAME=DIM,DIM,..."),
        ("data=1,2 data=1,3", "--plan-for=data=1,2 data=1,3: 'data' is named twice"),
    ],
)
def test_what_is_no_plan(word: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        shapes_to_plan(Arguments(plan_for=[word]))
    assert message in str(caught.value)
