"""Several ops as nets have them: what passes look for."""

from __future__ import annotations

from ir import expr as e
from ir.graph import Role, Value
from ir.ops.convolution import Conv
from ir.ops.movement import Concat, Pad, Reshape, Slice, Transpose
from ir.ops.pointwise import Map
from ir.ops.window import WindowSum
from ir.types import U32

from .growth import DRAWERS, Growth, pattern
from .reductions import axes

_CHAINED = (Slice, Transpose, Reshape, Pad, Concat, Map)


def _filled(g: Growth, *ranks: int) -> Value:
    return g.value(*ranks, where=lambda v: all(v.shape))


@pattern
def softmax(g: Growth) -> None:
    """Over the channels, or other axes."""
    x = _filled(g, 2, 4)
    over = (1,) if g.number(0, 2) < 2 else axes(g, x.type.rank)
    shifted = g.b.map(e.arg(0) - e.arg(1), x, g.b.reduce("max", x, over))
    powers = g.b.map(e.exp(e.arg(0)), shifted)
    g.keep([g.b.map(e.arg(0) / e.arg(1), powers, g.b.sum(powers, over))])


@pattern
def normalization(g: Growth) -> None:
    """By mean and variance, with running means in variables."""
    x = _filled(g, 2, 4)
    over = tuple(i for i in range(x.type.rank) if i != 1)
    share = e.dyn(x.shape[1] / x.type.size)
    mean = g.b.map(e.arg(0) * share, g.b.sum(x, over))
    centred = g.b.map(e.arg(0) - e.arg(1), x, mean)
    variance = g.b.map(e.arg(0) * share, g.b.sum(g.b.map(e.arg(0) * e.arg(0), centred), over))
    root = g.b.map(e.sqrt(e.arg(0) + 0.5), variance)
    running = g.input(mean.shape, role=Role.STATE)
    new = g.b.map(e.arg(0) * 0.9 + e.arg(1), running, mean)
    g.b.output(g.b.inputs[-1].name, new, Role.STATE)
    g.keep([mean, g.b.map(e.arg(0) / e.arg(1), centred, root)])


@pattern
def response_normalization(g: Growth) -> None:
    """LRN across channels."""
    x = _filled(g, 4)
    edge = (0, 1, 0, 0)
    squares = g.b.map(e.arg(0) * e.arg(0), x)
    total = g.b.emit(WindowSum((1, 3, 1, 1), (1,) * 4, edge, edge), squares)
    rule = e.arg(0) * e.power(e.arg(1) * 0.25 + 1.0, -0.75)
    g.keep([g.b.map(rule, x, total)])


@pattern
def convolution_and_scale(g: Growth) -> None:
    """With bias, normalised by variables, and ReLU: freezing folds the chain."""
    x = _filled(g, 4)
    outer = g.number(1, 4)
    pad = (g.number(0, 1),) * 2
    stride = (g.number(1, 2),) * 2
    w = g.input((outer, x.shape[1], 1, 1), role=Role.PARAMETER)
    value = g.b.emit(Conv(stride, pad, (1, 1)), x, w)
    for _ in range(g.number(1, 3)):
        variable = g.input((1, outer, 1, 1), role=g.choice(Role.PARAMETER, Role.STATE))
        a, b = e.arg(0), e.arg(1)
        rule = g.choice(a + b, a * b, a - b, b - a, a / (b * b + 1.0), a * 2.0 + b)
        value = g.b.map(rule, value, variable)
    if g.flag():
        g.keep([value])
    g.keep([g.b.map(e.maximum(e.arg(0), 0.0), value)])


@pattern
def inner_product(g: Growth) -> None:
    """Flattened, with bias."""
    x = g.value(4, 2, 3)
    rows = x.shape[0]
    width = x.type.size // rows if rows else 4
    if x.type.size == 0:
        return
    flat = g.b.reshape(x, (rows, width))
    outer = g.extent()
    product = g.b.matmul(flat, g.input((outer, width), role=Role.PARAMETER), transpose_b=True)
    g.keep([g.b.map(e.arg(0) + e.arg(1), product, g.value(shape=(1, outer)))])


@pattern
def dropout(g: Growth) -> None:
    """The seed and the number of the pass are parts of a variable."""
    x = g.value(4, 2, 1)
    ones = (1,) * x.type.rank
    variable = g.value(shape=(2,), dtype=U32)
    parts = [g.b.reshape(g.b.slice(variable, 0, i, i + 1), ones) for i in (0, 1)]
    drawn = e.rand(e.arg(1, U32), e.linear(), g.number(0, 2), e.arg(2, U32))
    rule = e.where(drawn < 0.5, 0.0, e.arg(0) * 2.0)
    g.keep([g.b.map(rule, x, *parts)])


@pattern
def split_and_join(g: Growth) -> None:
    """Slices, of which each goes its own way, and their concatenation."""
    x = g.value(4, 3, 2, where=lambda v: v.shape[1] > 1)
    if x.shape[1] < 2:
        return
    cut = g.number(1, x.shape[1] - 1)
    parts = [g.b.slice(x, 1, 0, cut), g.b.slice(x, 1, cut, x.shape[1])]
    if g.flag():
        parts[0] = g.b.map(e.tanh(e.arg(0)), parts[0])
    if g.flag():
        parts.reverse()
    g.keep([*parts, g.b.concat(parts, 1)])


@pattern
def pieces_in_places(g: Growth) -> None:
    """A sum of padded pieces, as the gradient of slices is."""
    x = g.value(3, 2)
    other = g.value(shape=x.shape)
    gap = g.number(0, 1)
    n = x.shape[1]
    none = [0] * x.type.rank
    low, high = list(none), list(none)
    low[1] = high[1] = n + gap
    total = e.arg(0) + e.arg(1)
    a, b = g.b.pad(x, none, high), g.b.pad(other, low, none)
    g.keep([g.b.map(total, a, b) if g.flag() else g.b.map(total, b, a)])


@pattern
def chain(g: Growth) -> None:
    """Movements of what was moved before, and maps between."""
    g.chains = True
    kind = g.choice(*_CHAINED)
    for _ in range(g.number(2, 4)):
        DRAWERS[kind.name](g)
        kind = g.choice(kind, kind, *_CHAINED)
    g.chains = False


@pattern
def similarity(g: Growth) -> None:
    """Products of all pairs, which meet their transposes."""
    rows = g.choice(3, 20, 40)
    a, b = (g.value(shape=(rows, 2)) for _ in range(2))
    product = g.b.matmul(a, b, transpose_b=True)
    both = g.b.map(e.arg(0) + e.arg(1) * 0.5, product, g.b.transpose(product, (1, 0)))
    g.keep([g.b.matmul(both, b)])


@pattern
def turned_factors(g: Growth) -> None:
    """A product of transposes, which it may take transposed itself."""
    rank = g.number(2, 3)
    batch = (2,) * (rank - 2)
    rows, depth, columns = (g.extent() for _ in range(3))
    order = (*range(rank - 2), rank - 1, rank - 2)
    factors, flags = [], []
    for shape in ((rows, depth), (depth, columns)):
        flag, turned = g.flag(), g.flag()
        shape = shape[::-1] if flag != turned else shape
        factor = g.value(shape=(*batch, *shape))
        factors.append(g.b.transpose(factor, order) if turned else factor)
        flags.append(flag)
    g.keep([g.b.matmul(*factors, transpose_a=flags[0], transpose_b=flags[1])])


@pattern
def activation(g: Growth) -> None:
    """What backward can compute from the result."""
    a = e.arg(0)
    rule = g.choice(
        e.maximum(a, 0.0),
        e.where(a > 0.0, a, a * 0.1),
        e.where(a > 0.0, a, a * -0.1),
        e.tanh(a),
        e.sigmoid(a),
        e.exp(e.minimum(a, 2.0)),
        e.where(a > 0.0, a, e.unary("expm1", e.minimum(a, 0.0))),
    )
    g.keep([g.b.map(rule, g.value(4, 2, 3, 1))])


@pattern
def update(g: Growth) -> None:
    """A solver's: a parameter and its history, which are written where they lie."""
    diff = g.value(1, 2, 4)
    names = []
    for role in (Role.PARAMETER, Role.STATE):
        g.input(diff.shape, role=role)
        names.append(g.b.inputs[-1].name)
    data, history = g.values[-2:]
    rate = g.input((1,) * diff.type.rank, role=Role.HYPER)
    step = g.b.map(e.arg(0) * 0.9 + e.arg(1) * e.arg(2), history, diff, rate)
    new = g.b.map(e.arg(0) - e.arg(1), data, step)
    for name, value in zip(names, (new, step), strict=True):
        g.b.output(name, value, Role.STATE)
    g.keep([step, new])
