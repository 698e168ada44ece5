"""The strategy."""

from __future__ import annotations

from collections.abc import Mapping

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

from ir.expr_exchange import without_gradient_marks
from ir.graph import Node, Role, Value
from ir.op import Property
from ir.ops.pointwise import Map
from ir.size import Scope

from .drawn import Drawn
from .growth import DRAWERS, PATTERNS, Growth


def examples(count: int) -> settings:
    """So many examples in the normal suite, and many times more where they are searched for."""
    default = settings()
    times = default.max_examples / 100
    # What would explain an example that fails takes minutes; the graph says more.
    phases = (Phase.explicit, Phase.generate, Phase.shrink)
    return settings(
        default,
        max_examples=max(1, round(count * times)),
        phases=phases,
        suppress_health_check=list(HealthCheck),  # some tests have no use for many a graph
    )


@st.composite
def graphs(
    draw: st.DrawFn, name: str | None = None, most: int = 8, symbolic: bool = False
) -> Drawn:
    """A forward graph of up to ``most`` drawn ops and patterns, and one more of this name.

    ``symbolic``: its batch, and extents of images, may change.
    """
    scope = Scope() if symbolic else None
    g = Growth(draw, scope)
    drawers = DRAWERS | PATTERNS
    count = 0
    while count < most and draw(st.integers(0, 19)):
        g.grow(drawers[g.choice(*sorted(drawers))], count)
        count += 1
    if name is not None or not g.b.nodes:
        g.grow(drawers[name or "map"], count)
    if scope is not None:
        scope.close()
    _variables(g)
    _results(g)
    seed = draw(st.integers(0, 99))
    return Drawn(g.b.finish(), tuple(g.contents), g.calls, seed, scope)


def _results(g: Growth) -> None:
    """What nothing reads, mostly; and others, inputs and the same one twice among them."""
    read = {v for n in g.b.nodes for v in n.inputs}
    made = [v for n in g.b.nodes for v in n.outputs]
    shown = [v for v in made if v not in read]
    if len(shown) > 1 and g.number(0, 3) == 3:
        shown.pop(g.number(0, len(shown) - 1))  # dead code
    everything: list[Value] = [*(p.value for p in g.b.inputs), *made]
    shown += [g.choice(*everything[::-1]) for _ in range(g.choice(0, 0, 1, 2, 3))]
    for i, value in enumerate(shown):
        value = g.b.copy(value) if value.type.layout else value
        g.b.output(f"out{i}", value)


def _variables(g: Growth) -> None:
    """Variables that forward writes: with anything but what another variable holds, for a plan
    refuses variables that take each other's values."""
    written = {p.name for p in g.b.outputs}
    variables = {p.value for p in g.b.inputs if p.role in (Role.STATE, Role.PARAMETER)}
    makers = {v: n for n in g.b.nodes for v in n.outputs}
    made = [v for v in makers if _origin(v, makers) not in variables]
    for port in g.b.inputs:
        if port.value not in variables or port.name in written:
            continue
        fits = [v for v in made if v.type == port.value.type]
        if fits and g.number(0, 2) == 2:
            g.b.output(port.name, g.choice(*fits), Role.STATE)


def _origin(value: Value, makers: Mapping[Value, Node]) -> Value:
    """What a value passes on, perhaps moved."""
    while (node := makers.get(value)) is not None:
        if isinstance(node.op, Map):
            passed = without_gradient_marks(node.op.exprs[node.outputs.index(value)])
            if passed.op != "arg":
                break
            value = node.inputs[int(passed.value or 0)]
        elif node.op.properties & Property.MOVEMENT:
            value = node.inputs[0]
        else:
            break
    return value
