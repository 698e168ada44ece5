"""The launches of a group: printed kernels, with what they are called with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from compiler.kernel import Argument as Given
from compiler.kernel import Config, Kernel, Launch, Parameter
from ir.graph import Node

from .choice import Choice
from .expressions import KernelArgument
from .monomial import Monomial
from .nodes import KernelBody
from .printer import Text
from .task import Scheduled, Task

Printed = dict[tuple[Node, Choice, bool], list[Launch]]
"""Launches by what decides them, whatever the sizes are: the group, the choice, wide indices."""


@dataclass(frozen=True, slots=True)
class Ways:
    """The ways to compute a group in a language.

    ``canonical``: prints a kernel: its function's name, the source, and the function's text.
    ``readable``: prints it for people. ``together``: prints for people one that does what several
    would, below what is said of it; None: the language has none.
    """

    task: Task
    scheduled: Scheduled
    canonical: Callable[[KernelBody], tuple[str, str, Text]]
    readable: Callable[[Task, KernelBody], str]
    together: Callable[[str, KernelBody], str] | None = None

    @property
    def choices(self) -> Sequence[Choice]:
        """The best first."""
        return self.scheduled.choices

    def launches(
        self, choice: Choice | None = None, known: Printed | None = None, *, keep: bool = False
    ) -> list[Launch]:
        """In order; of the best choice unless another is given. An empty group has none.

        ``keep``: their nodes, for who asks for all of them. They are many small objects.
        """
        known = {} if known is None else known
        choice = choice or self.choices[0]
        key = self.task.node, choice, self.task.wide
        if key not in known:
            kernels = enumerate(self.scheduled.kernels(choice))
            known[key] = [self._launch(choice, number, kernel, keep) for number, kernel in kernels]
        return known[key]

    def _launch(self, choice: Choice, number: int, body: KernelBody, keep: bool) -> Launch:
        entry, source, text = self.canonical(body)
        light = body.light if self.task.op.bundled and self.together else None
        parameters = tuple(parameter_of(name, a, body.wide) for name, a in text.arguments)

        kept = body if keep else None

        def again() -> KernelBody:
            return kept or self.scheduled.kernels(choice)[number]

        return Launch(
            Kernel(entry, source, parameters),
            body.config,
            tuple(given(a) for _, a in text.arguments),
            body.grid,
            self.task.op.label + body.suffix,
            self.task.node.location,
            body.writes,
            lambda: self.readable(self.task, again()),
            again,
            Light(self, light) if light is not None else None,
        )


@dataclass(frozen=True, slots=True, eq=False)
class Light:
    """How a kernel is made once more, to share a launch with others."""

    ways: Ways
    body: Callable[[Config], KernelBody]


def parameter_of(name: str, argument: KernelArgument, wide: bool) -> Parameter:
    if argument.kind == "pointer":
        return Parameter(name, "pointer", argument.dtype, argument.divisible)
    if argument.kind == "size":
        return Parameter(name, "i64" if wide else "i32", None, argument.divisible)
    return Parameter(name, "f32" if argument.dtype.is_float else "i32")


def given(argument: KernelArgument) -> Given:
    value = argument.given
    return value.size if isinstance(value, Monomial) else value
