"""The gradient of a loop: a loop that goes the other way.

A step of it is the backward of a step. It is given what forward knows of the step (its part of the
sliced operands, what was carried into it, the results that were stacked; the rest it computes
again), and carries the cotangents of what forward carries.

What is the same in every step gets a sum over all steps. Where the body reads it as a factor of
products of matrices, as it does the weights of a recurrent layer, this is one product: the other
factors and the cotangents of all steps, one below the other, have as many rows as there are steps
times rows. Everything else is added up step by step.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from . import expr as e
from .graph import Graph, Node, Port, Role
from .loop_builder import LoopBuilder, LoopResults
from .op import Adjoint, GradientBuilder, Op
from .value import Value


class Looped(Protocol):
    """The loop: what :class:`ir.ops.loop.StepLoop` says of itself."""

    @property
    def steps(self) -> int: ...
    @property
    def sliced(self) -> int: ...
    @property
    def carried(self) -> int: ...
    @property
    def body(self) -> Graph: ...
    @property
    def backwards(self) -> bool: ...
    def around(self, sliced: int, carried: int, body: Graph, *, turned: bool = False) -> Op: ...


def loop_gradient(loop: Looped, b: GradientBuilder, at: Adjoint) -> list[Value | None]:
    """The cotangents of the operands of a loop."""
    return _Backward(loop, b, at).cotangents()


@dataclass(frozen=True, slots=True)
class _Product:
    """A product of the body that has a fixed operand as the factor of this number."""

    node: Node
    place: int

    @property
    def other(self) -> Value:
        return self.node.inputs[1 - self.place]


class _Backward:
    """Makes the body of the loop that goes back, and what it is called with.

    Attributes:
        operands: of the loop, by the inputs of its body: ``parts``, ``handed`` and ``fixed``.
        stacks: results of all steps, by the results of the body.
        inside: what stands for a value of the body in the body of this loop.
    """

    def __init__(self, loop: Looped, b: GradientBuilder, at: Adjoint) -> None:
        self.loop, self.b, self.at = loop, b, at
        inputs = [port.value for port in loop.body.inputs]
        first, last = loop.sliced, loop.sliced + loop.carried
        self.parts, self.handed, self.fixed = inputs[:first], inputs[first:last], inputs[last:]
        self.operands = dict(zip(inputs, at.inputs, strict=True))
        self.made = [port.value for port in loop.body.outputs]
        self.stacks = dict(zip(self.made[loop.carried :], at.outputs[loop.carried :], strict=True))
        turned = functools.partial(loop.around, turned=True)
        self.steps = LoopBuilder(b, f"d_{loop.body.name}", turned)
        self.body = self.steps.body
        self.inside: dict[Value, Value] = {}
        self._carried_into: dict[int, Value] = {}

    def cotangents(self) -> list[Value | None]:
        wanted = {v for v, w in zip(self.operands, self.at.wanted, strict=True) if w}
        products = {v: p for v in self.fixed if v in wanted and (p := self._products(v))}
        summed = [v for v in self.fixed if v in wanted and v not in products]
        self._compute_again()
        seeds, back = self._seeds()
        asked = [v for v in (*self.parts, *summed) if v in wanted]
        asked += [*back, *(p.node.output for some in products.values() for p in some)]
        found = self.body.backward(seeds, [self.inside[v] for v in asked])
        known = {v: g for v in asked if (g := found.get(self.inside[v])) is not None}
        for value, carried in back.items():
            g = known.get(value)
            self.steps.hand_on(carried, self.body.fill(0.0, value.shape) if g is None else g)
        totals = {v: self._added_up(known[v]) for v in summed if v in known}
        terms = [p for some in products.values() for p in some if p.node.output in known]
        for value in (*(v for v in self.parts if v in known), *(p.node.output for p in terms)):
            self.steps.stack(known[value])
        unknown = dict.fromkeys(p.other for p in terms if self._all_steps(p.other) is None)
        for value in unknown:
            self.steps.stack(self.inside[value])
        self._read_what_is_known()
        done = self.steps.finish()
        sums = {v: done.stacks[known[v]] for v in self.parts if v in known}
        sums.update((v, done.last[carried]) for v, carried in back.items() if v in wanted)
        sums.update((v, done.last[total]) for v, total in totals.items())
        for value, some in products.items():
            parts = [self._product(p, known, done) for p in some if p in terms]
            if parts:
                sums[value] = self._sum(parts)
        return [sums.get(v) for v in self.operands]

    def _products(self, fixed: Value) -> list[_Product] | None:
        """What reads a fixed operand, if all of it are products with what differs from step to
        step."""
        found = []
        for node in self.loop.body.nodes:
            if fixed not in node.inputs:
                continue
            if node.op.outer_axes is None or fixed.type.rank != 2:
                return None
            product = _Product(node, node.inputs.index(fixed))
            if product.other in self.fixed:
                return None
            found.append(product)
        return found if fixed not in self.made else None

    # --- the body -----------------------------------------------------------------------

    def _compute_again(self) -> None:
        """A step of forward, of which only what is needed will stay."""
        inside = self.inside
        for value in self.parts:
            inside[value] = self.steps.part(self.operands[value])
        for number, value in enumerate(self.handed):
            inside[value] = self._part(value, lambda n=number: self._before(n))  # type: ignore[misc]
        for value in self.fixed:
            inside[value] = self.steps.fixed(self.operands[value])
        for node in self.loop.body.nodes:
            with self.body.at(node.location):
                made = self.body.emit_all(
                    node.op, *(inside[v] for v in node.inputs), names=[v.name for v in node.outputs]
                )
            inside.update(zip(node.outputs, made, strict=True))

    def _part(self, value: Value, made: Callable[[], Value]) -> Value:
        return self.steps.part_of(value.name, value.type, made)

    def _seeds(self) -> tuple[dict[Value, Value], dict[Value, Value]]:
        """Cotangents that a step is given, by the values in the body; and, by what is carried into
        a step of forward, what this loop carries for it."""
        given: dict[Value, list[Value]] = {}
        back: dict[Value, Value] = {}
        cotangents = self.at.cotangents
        for number, made in enumerate(self.made):
            g = cotangents[number]
            if number < self.loop.carried and made.type.dtype.is_float:
                with self.b.at(hint=f"d_{made.name}"):
                    start = self.b.fill(0.0, made.shape) if g is None else g
                cotangent = back[self.handed[number]] = self.steps.carry(start)
            elif g is not None:
                cotangent = self.steps.part(g)
            else:
                continue
            given.setdefault(self.inside[made], []).append(cotangent)
        return {v: self._body_sum(parts) for v, parts in given.items()}, back

    def _body_sum(self, parts: Sequence[Value]) -> Value:
        total, *rest = parts
        for part in rest:
            total = self.body.map(e.arg(0) + e.arg(1), total, part)
        return total

    def _added_up(self, part: Value) -> Value:
        """What this loop carries to add up a part of each step."""
        total = self.steps.carry(self.b.fill(0.0, part.shape))
        self.steps.hand_on(total, self.body.map(e.arg(0) + e.arg(1), total, part))
        return total

    def _read_what_is_known(self) -> None:
        """Results that forward stacked are read, not computed again."""
        known = {
            self.inside[v]: self.steps.part(stack)
            for v, stack in self.stacks.items()
            if v not in self.operands
        }
        self.body.nodes[:] = [
            replace(n, inputs=tuple(known.get(v, v) for v in n.inputs)) for n in self.body.nodes
        ]

    # --- all steps ----------------------------------------------------------------------

    def _all_steps(self, value: Value) -> Value | None:
        """What a value of forward's body was in all steps, if that is known outside."""
        if value in self.handed:
            return self._before(self.handed.index(value))
        return self.operands[value] if value in self.parts else self.stacks.get(value)

    def _before(self, number: int) -> Value:
        """What was carried into each step: what the step before handed on."""
        if number not in self._carried_into:
            self._carried_into[number] = self._one_later(number)
        return self._carried_into[number]

    def _one_later(self, number: int) -> Value:
        b, steps = self.b, self.loop.steps
        start = self.operands[self.handed[number]]
        first = b.reshape(start, (1, *start.shape))
        stack = self._stack(self.made[number])
        if steps == 1:
            return first
        if self.loop.backwards:
            return b.concat([b.slice(stack, 0, 1, steps), first], 0)
        return b.concat([first, b.slice(stack, 0, 0, steps - 1)], 0)

    def _stack(self, made: Value) -> Value:
        """A result of all steps. What forward did not stack needs another loop forward."""
        if made not in self.stacks:
            body = self.loop.body
            port = Port(f"{len(body.outputs)}", made, Role.RESULT)
            body = replace(body, outputs=(*body.outputs, port))
            again = self.loop.around(self.loop.sliced, self.loop.carried, body)
            self.stacks[made] = self.b.emit_all(again, *self.at.inputs)[-1]
        return self.stacks[made]

    def _product(self, product: _Product, known: dict[Value, Value], done: LoopResults) -> Value:
        """What the cotangents of a product of all steps make of its fixed factor."""
        node, place = product.node, product.place
        axes = node.op.outer_axes
        assert axes is not None
        other = self._all_steps(product.other)
        if other is None:
            other = done.stacks[self.inside[product.other]]
        # Of the first factor the rows are rows of the product, of the second one the columns.
        other = self._joined(other, axes[1 - place])
        g = self._joined(done.stacks[known[node.output]], 1 - place)
        factors = [other, other]
        factors[place] = self.operands[node.inputs[place]]
        at = Adjoint(tuple(factors), (), (g,), (place == 0, place == 1))
        found = node.op.gradient(self.b, at)[place]
        assert found is not None
        return found

    def _joined(self, stack: Value, axis: int) -> Value:
        """Matrices [steps, ...] as one, side by side along an axis."""
        steps, rows, columns = stack.shape
        if axis == 0:
            return self.b.reshape(stack, (steps * rows, columns))
        return self.b.reshape(self.b.transpose(stack, (1, 0, 2)), (rows, steps * columns))

    def _sum(self, parts: Sequence[Value]) -> Value:
        total, *rest = parts
        for part in rest:
            total = self.b.map(e.arg(0) + e.arg(1), total, part)
        return total
