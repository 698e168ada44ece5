"""A graph that runs once per step of a sequence, and hands values on from step to step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ..graph import Graph, Value
from ..interpret import GraphRun
from ..loop_gradient import loop_gradient
from ..op import Adjoint, GradientBuilder, Op, Property, register, require
from ..types import TensorType

MOST_STEPS = 1 << 20

_NO_BODY = Property.HOST | Property.EFFECT | Property.DYNAMIC | Property.REPEATED


@register
@dataclass(frozen=True)
class StepLoop(Op):
    """Runs ``body`` ``steps`` times, the last step first if it goes ``backwards``.

    Operands, in the order of the body's inputs:

    * ``sliced`` tensors [steps, ...]: a step is given its part [...],
    * ``carried`` values as they are before the first step that runs: each step is given what the
      one before it handed on,
    * and what is the same in every step.

    The body makes the carried values for the next step, then results of the step. Results: the
    carried values after the last step that runs, and, for each result of steps, all of them
    [steps, ...].

    There are no loops in loops, and at most :data:`MOST_STEPS` steps: what a file asks for ends.
    """

    steps: int
    sliced: int
    carried: int
    body: Graph
    backwards: bool = False
    name = "loop"
    properties = Property.REPEATED

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        require(0 < self.steps <= MOST_STEPS, f"{self.steps} steps; from 1 to {MOST_STEPS} can be")
        own = [p.value.type for p in self.body.inputs]
        made = [p.value.type for p in self.body.outputs]
        require(0 <= self.sliced <= self.sliced + self.carried <= len(own), "too few operands")
        expected = [self.stacked(t) if i < self.sliced else t for i, t in enumerate(own)]
        require(list(inputs) == expected, f"{inputs} given, the loop takes {expected}")
        handed = own[self.sliced : self.sliced + self.carried]
        require(made[: self.carried] == handed, f"{made} made, {handed} must be handed on")
        odd = [n.op.name for n in self.body.nodes if n.op.properties & _NO_BODY]
        require(not odd, f"a step is no place for {', '.join(odd)}")
        rest = (self.stacked(t) for t in made[self.carried :])
        return (*handed, *rest)

    def stacked(self, type: TensorType) -> TensorType:
        """Of what each step has: all steps."""
        return TensorType((self.steps, *type.shape), type.dtype)

    def reference(
        self, inputs: Sequence[np.ndarray], results: Sequence[TensorType]
    ) -> Sequence[np.ndarray]:
        return self.by_steps(GraphRun(self.body), inputs)

    def by_steps(
        self, run: Callable[[list[np.ndarray]], Sequence[np.ndarray]], inputs: Sequence[np.ndarray]
    ) -> list[np.ndarray]:
        """Results, where ``run`` runs the body."""
        sliced, carried = inputs[: self.sliced], list(inputs[self.sliced :][: self.carried])
        fixed = inputs[self.sliced + self.carried :]
        stacks: list[np.ndarray] = []
        for step in self.order:
            made = list(run([*(x[step] for x in sliced), *carried, *fixed]))
            carried, rest = made[: self.carried], made[self.carried :]
            if not stacks:
                stacks = [np.empty((self.steps, *part.shape), part.dtype) for part in rest]
            for stack, part in zip(stacks, rest, strict=True):
                stack[step] = part
        return [*carried, *stacks]

    @property
    def order(self) -> range:
        """The steps as they run."""
        steps = range(self.steps)
        return steps[::-1] if self.backwards else steps

    def gradient(self, b: GradientBuilder, at: Adjoint) -> Sequence[Value | None]:
        return loop_gradient(self, b, at)

    def around(self, sliced: int, carried: int, body: Graph, *, turned: bool = False) -> StepLoop:
        """A loop of as many steps around another body; ``turned``: that goes the other way."""
        return StepLoop(self.steps, sliced, carried, body, self.backwards is not turned)

    def multiply_adds(self, inputs: Sequence[TensorType], results: Sequence[TensorType]) -> int:
        """Of all steps."""
        return self.steps * sum(node.multiply_adds for node in self.body.nodes)
