"""What recurrent layers take and make: which bottoms and tops, and where their steps are."""

from __future__ import annotations

from collections.abc import Sequence

from frontends.prototxt.message import Message
from ir.graph import Value

from .context import LayerContext


def exposes(param: Message, side: str) -> bool:
    """Whether the states are bottoms (``side``: input) or tops (output).

    MyCaffe says of each side what expose_hidden says of both.
    """
    field = f"expose_hidden_{side}"
    return bool(param[field] if param.has(field) else param.expose_hidden)


def check_counts(
    ctx: LayerContext, names: Sequence[str], others: tuple[int, ...], what: str
) -> None:
    """The number of bottoms and tops; ``others``: how many bottoms there may be besides states."""
    kind, bottoms = ctx.kind.name, len(ctx.bottoms)
    given = len(names) if exposes(ctx.param, "input") else 0
    tops = 1 + (len(names) if exposes(ctx.param, "output") else 0)
    counts = [count + given for count in others]
    ctx.check(
        bottoms in counts,
        f"{bottoms} bottoms; {kind}{_with(given)} takes {' or '.join(map(str, counts))} ({what})",
        "bottom",
    )
    ctx.check(
        ctx.top_count == tops,
        f"{ctx.top_count} tops; {kind}{_with(tops - 1)} makes {tops}",
        "top",
    )


def _with(states: int) -> str:
    return f" with expose_hidden and {states} state(s)" if states else ""


def steps_first(ctx: LayerContext, number: int) -> Value:
    """A bottom as [steps, streams, ...]; with MyCaffe's ``batch_first`` the streams come first."""
    x = ctx.bottoms[number]
    return _turned(ctx, x) if ctx.param.batch_first and x.type.rank >= 2 else x


def as_given(ctx: LayerContext, y: Value) -> Value:
    """The reverse, of a top."""
    return _turned(ctx, y) if ctx.param.batch_first else y


def _turned(ctx: LayerContext, x: Value) -> Value:
    return ctx.b.transpose(x, (1, 0, *range(2, x.type.rank)))


def read_marks(ctx: LayerContext, steps: int, streams: int) -> Value:
    """The second bottom, [T, N, 1]."""
    shape = (streams, steps) if ctx.param.batch_first else (steps, streams)
    check_shape(ctx, 1, shape, "one mark per step and stream")
    return ctx.b.reshape(steps_first(ctx, 1), (steps, streams, 1))


def check_shape(ctx: LayerContext, number: int, shape: tuple[int, ...], what: str) -> None:
    """Of a bottom."""
    have = tuple(map(int, ctx.bottoms[number].shape))
    ctx.check(
        have == shape,
        f"'{ctx.layer.bottom[number]}' has shape {list(have)}; {list(shape)} is expected: {what}",
        "bottom",
        index=number,
    )
