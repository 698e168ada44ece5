"""The flags that hold shapes: ``--shape data=1,3,227,227``."""

from __future__ import annotations

from .command import Arguments, Flag, UsageError

SHAPE_FLAG = Flag(
    "shape",
    "the shape of an input, of a data layer's top, which is then not read, or of a Python layer's "
    "top, which is then not run: data=1,3,227,227",
    repeated=True,
    default=(),
    metavar="NAME=DIMS",
)

PLAN_FOR_FLAG = Flag(
    "plan_for",
    "other shapes of inputs that a plan is stored for, so that nothing is planned where they come: "
    "data=8,3,224,224; of several inputs at once, with a space between",
    repeated=True,
    default=(),
    metavar="SHAPES",
)


_DIGITS = 19  # more than any memory has bytes


def shapes(arguments: Arguments) -> dict[str, tuple[int, ...]]:
    """``--shape data=1,3,224,224``, given any number of times: shapes by blob."""
    found: dict[str, tuple[int, ...]] = {}
    for item in arguments.shape:
        name, shape = _named_shape("--shape", item, item)
        if found.setdefault(name, shape) != shape:
            raise UsageError(f"--shape={item}: '{name}' has another shape before")
    return found


def shapes_to_plan(arguments: Arguments) -> list[dict[str, tuple[int, ...]]]:
    """``--plan-for "data=8,3,224,224 info=8,3"``, given any number of times."""
    found: list[dict[str, tuple[int, ...]]] = []
    for item in arguments.plan_for:
        each: dict[str, tuple[int, ...]] = {}
        for part in item.split():
            name, shape = _named_shape("--plan-for", item, part)
            if name in each:
                raise UsageError(f"--plan-for={item}: '{name}' is named twice")
            each[name] = shape
        if not each:
            raise UsageError("--plan-for names no shape")
        found.append(each)
    return found


def _named_shape(flag: str, value: str, part: str) -> tuple[str, tuple[int, ...]]:
    """A name and its extents. Raises UsageError, which shows the flag's whole value."""
    name, _, dims = part.rpartition("=")
    words = [word.strip() for word in dims.replace("x", ",").split(",")]
    if not name or not all(word.isdecimal() and len(word) < _DIGITS for word in words):
        raise UsageError(f"{flag}={value}: must be NAME=DIM,DIM,..., such as data=8,3,224,224")
    return name, tuple(map(int, words))
