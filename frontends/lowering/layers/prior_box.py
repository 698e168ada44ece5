"""PriorBox (SSD)."""

from __future__ import annotations

from collections.abc import Sequence

from frontends.schema.registry import message_type
from ir import expr as e
from ir.expr import Expr
from ir.graph import Value
from ir.types import F32

from ..chosen import chosen
from ..context import LayerContext
from ..prior_sizes import LARGEST, PlacedBox, boxes_of_a_position
from ..registry import layer

_DEFAULT_VARIANCE = (0.1,)


@layer(
    "PriorBox",
    param="prior_box_param",
    message=message_type("PriorBoxParameter"),
    bottoms=2,
    no_gradient_to=(0, 1),
    fork="SSD",
    fork_fields=("tf", "yx_order", "keras", "faceboxes", "box_width", "box_height"),
)
def lower_prior_box(ctx: LayerContext) -> Value:
    """Boxes of given sizes around every position of a map: (1, 2, H * W * boxes * 4).

    The first channel holds x1, y1, x2, y2 as parts of the image (the second bottom's size, unless
    img_size or img_h and img_w give another), the second one their variances. Only the shapes of
    the bottoms matter. Synopsys' fields say in which order boxes and coordinates come (``tf``,
    ``keras``, ``yx_order``), which boxes there are (``box_width``, ``box_height``), or how dense
    small ones lie (``faceboxes``). SSD and synopsys-caffe: src/caffe/layers/prior_box_layer.cpp.
    """
    p, b = ctx.param, ctx.b
    boxes = _explicit(ctx) if p.box_width or p.box_height else boxes_of_a_position(ctx)
    variances = _variances(ctx)
    rows, columns = _map_size(ctx, 0)
    image = _image_size(ctx)
    step_y, step_x = _steps(ctx, image, (rows, columns))
    height, width = (e.dyn(extent, F32) for extent in image)
    # A position's row and column, the number of its box, and which of four coordinates.
    channel, row, column, box, coordinate = (e.index(axis) for axis in range(5))
    is_y = e.equal(coordinate % 2, chosen(box, [int(not each.swapped) for each in boxes]))
    offset = e.const(p.offset)
    center_x = (e.to_float(column) + offset) * step_x + chosen(box, [q.across for q in boxes])
    center_y = (e.to_float(row) + offset) * step_y + chosen(box, [q.down for q in boxes])
    half_x = chosen(box, [each.width / 2.0 for each in boxes])
    half_y = chosen(box, [each.height / 2.0 for each in boxes])
    half, center = e.where(is_y, half_y, half_x), e.where(is_y, center_y, center_x)
    edge = e.where(coordinate < 2, center - half, center + half)
    place = edge / e.where(is_y, height, width)
    inset = chosen(box, [each.inset for each in boxes])
    place = e.where(coordinate < 2, place + inset, place - inset)
    if p.clip:
        place = e.minimum(e.maximum(place, 0.0), 1.0)
    variance = chosen(coordinate, variances)
    made = b.map(
        e.where(e.equal(channel, 0), place, variance), shape=(2, rows, columns, len(boxes), 4)
    )
    return b.reshape(made, (1, 2, rows * columns * len(boxes) * 4))


def _explicit(ctx: LayerContext) -> list[PlacedBox]:
    """Synopsys' box_width and box_height, in place of sizes and ratios."""
    p = ctx.param
    ctx.check(
        len(p.box_width) == len(p.box_height),
        f"{len(p.box_width)} box_width and {len(p.box_height)} box_height values",
        "box_height",
        "give one for each box",
    )
    for field in ("box_width", "box_height"):
        for i, size in enumerate(p[field]):
            ctx.check(0 < size < LARGEST, f"{field} is {size:g}", field, "it must be a size", i)
    return [
        PlacedBox(w, h, swapped=p.yx_order) for w, h in zip(p.box_width, p.box_height, strict=True)
    ]


def _variances(ctx: LayerContext) -> Sequence[float]:
    """Of x1, y1, x2, y2."""
    given = tuple(ctx.param.variance) or _DEFAULT_VARIANCE
    ctx.check(len(given) in (1, 4), f"{len(given)} variance values", "variance", "give 1 or 4")
    for i, variance in enumerate(given):
        ctx.check(
            variance > 0, f"variance is {variance:g}", "variance", "it must be more than 0", i
        )
    return given * (4 // len(given))


def _map_size(ctx: LayerContext, bottom: int) -> tuple[int, int]:
    """Height and width of a bottom; axes that it lacks have extent 1."""
    shape = ctx.bottoms[bottom].shape
    ctx.check(
        len(shape) <= 4,
        f"'{ctx.layer.bottom[bottom]}' has shape {list(shape)}; at most four axes are expected",
        "bottom",
        index=bottom,
    )
    rows, columns = (*shape, 1, 1, 1, 1)[2:4]
    ctx.check(
        rows > 0 and columns > 0,
        f"'{ctx.layer.bottom[bottom]}' has shape {list(shape)}, which has no position",
        "bottom",
        index=bottom,
    )
    return rows, columns


def _image_size(ctx: LayerContext) -> tuple[float, float]:
    """Height and width, in pixels."""
    given = _either(ctx, "img_size", "img_h", "img_w")
    return _map_size(ctx, 1) if given is None else given


def _steps(
    ctx: LayerContext, image: tuple[float, float], positions: tuple[int, int]
) -> tuple[Expr, Expr]:
    """How far positions lie apart, in pixels: down and across."""
    given = _either(ctx, "step", "step_h", "step_w")
    if given is None:
        given = image[0] / positions[0], image[1] / positions[1]
    return e.dyn(given[0], F32), e.dyn(given[1], F32)


def _either(ctx: LayerContext, both: str, down: str, across: str) -> tuple[float, float] | None:
    """What one field, or one for each axis, says; None if none is there."""
    p = ctx.param
    apart = [field for field in (down, across) if p.has(field)]
    if apart:
        ctx.check(
            not p.has(both),
            f"`{both}` and `{apart[0]}` are both given",
            both,
            f"give {both}, or {down} and {across}",
        )
        for field, other in ((down, across), (across, down)):
            ctx.check(p.has(field), f"`{other}` is given without `{field}`", other, f"add {field}")
    elif not p.has(both):
        return None
    fields = (down, across) if apart else (both, both)
    for field in fields:
        ctx.check(p[field] > 0, f"{field} is {p[field]:g}", field, "it must be more than 0")
    return p[fields[0]], p[fields[1]]
