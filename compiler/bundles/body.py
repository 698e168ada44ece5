"""The kernel of a bundle: its programs, shared out among the parts.

Parts whose kernels have one text are a *kind*: the text stands there once, and the number of the
program tells which addresses and sizes it is given.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from compiler.kernel import Config, Launch, Scratch
from compiler.kernels.expressions import SCALAR, KernelArgument, Local, constant, every, ref
from compiler.kernels.launch import Light, given
from compiler.kernels.monomial import Amount, Monomial
from compiler.kernels.nodes import If, KernelBody, Kind, Let, Loop, Remark, Statement, rewritten
from compiler.plan.plan import PlanArgument
from ir import expr as e
from ir.expr import Expr
from ir.graph import Value
from ir.size import Real, Size, size_text
from ir.types import I32


@dataclass(frozen=True, slots=True)
class BundlePart:
    """A launch, as the graph and as the plan has it."""

    launch: Launch
    arguments: tuple[PlanArgument, ...]

    @property
    def light(self) -> Light:
        assert isinstance(self.launch.light, Light), "nothing else is a part"
        return self.launch.light


@dataclass(slots=True)
class PartKind:
    """Parts of one text: the kernel of the first, and its parameters; the programs of each."""

    body: KernelBody
    parameters: Sequence[KernelArgument]
    parts: list[BundlePart] = field(default_factory=list)
    sizes: list[Sequence[KernelArgument]] = field(default_factory=list)
    programs: list[int] = field(default_factory=list)


def kinds_of(parts: Sequence[BundlePart], config: Config) -> list[PartKind]:
    """The parts by the texts of their kernels, in a configuration that all of them get."""
    made: dict[int, tuple[Hashable, KernelBody, list[KernelArgument]]] = {}
    kinds: dict[Hashable, PartKind] = {}
    for part in parts:
        light = part.light
        if id(light) not in made:
            body = light.body(config)
            _, source, text = light.ways.canonical(body)
            parameters = [argument for _, argument in text.arguments]
            declared = tuple((p.dtype, p.divisible) for p in parameters)
            made[id(light)] = (source, declared), body, parameters
        key, body, parameters = made[id(light)]
        kind = kinds.setdefault(key, PartKind(body, parameters))
        kind.parts.append(part)
        kind.sizes.append(parameters)
        kind.programs.append(body.grid[0])
    return list(kinds.values())


class BundledBody:
    """The kernel of some kinds of parts.

    Attributes:
        body: the kernel. values: what the plan gives for each of its arguments.
    """

    def __init__(self, kinds: Sequence[PartKind], config: Config) -> None:
        self.values: dict[KernelArgument, PlanArgument] = {}
        self._programs = 0  # of the parts so far
        self._begin: Expr | None = None  # of those that come next
        first, last = kinds[0].body, kinds[-1]
        program = Local("l", "program", I32)
        inside: list[Statement] = []
        number = _let(inside, ref(program), "i", "program")
        for kind in kinds:
            self._add(inside, number, kind, kind is last)
        count = sum(len(kind.parts) for kind in kinds)
        self.body = KernelBody(
            f"bundled_{first.name}",
            [Loop(Kind.GRID, program, e.const(0), constant("programs"), e.const(1), 0, inside)],
            first.tile,
            config,
            (self._programs, 1, 1),
            tuple(v for kind in kinds for part in kind.parts for v in part.launch.outputs),
            f"{count} small kernels that need nothing of each other, in one launch",
            wide=first.wide,
        )

    def _add(self, inside: list[Statement], number: Expr, kind: PartKind, last: bool) -> None:
        """The programs of one kind: their own number, what they are given, what they do."""
        statements: list[Statement] = [Remark(part.launch.label) for part in kind.parts]
        mine = [number >= self._begin] if self._begin is not None else []
        begins, before = [e.const(0) if self._begin is None else self._begin], []
        for programs in kind.programs[:-1]:
            begins.append(self._end(programs))
            before.append(_let(statements, number < begins[-1], "m", "before"))
        if last:
            self._programs = self._programs + kind.programs[-1]
        else:
            self._begin = self._end(kind.programs[-1])
            mine.append(number < self._begin)
        start, own = _one_of(begins, before), number
        if start.op != "const":
            own = _let(statements, number - start, "i", "program_of_part")
        instead: dict[Local, Expr] = {
            parameter: self._given(statements, kind, place, before)
            for place, parameter in enumerate(kind.parameters)
        }
        statements += _for_program(kind.body.body, own, instead)
        inside += [If(every(tuple(mine)), statements)] if mine else statements

    def _end(self, programs: int) -> Expr:
        """Of so many programs more: the number of the next one, an argument."""
        self._programs = self._programs + programs
        amount = Monomial.of(Amount(0, self._programs, "end"))
        made = KernelArgument("s", "end", I32, SCALAR, "size", amount)
        self.values[made] = self._programs
        return ref(made)

    def _given(
        self, statements: list[Statement], kind: PartKind, place: int, before: Sequence[Expr]
    ) -> Expr:
        """What stands for a parameter of a kind: an argument, or one of those of its parts. A
        number that all of them have is one argument."""
        like = kind.parameters[place]
        parts = range(len(kind.parts))
        if like.kind == "pointer":
            arguments = [self._pointer(kind, place, part) for part in parts]
        else:
            numbers = [_number(sizes[place]) for sizes in kind.sizes]
            alike = len({*map(_meaning, numbers)}) == 1
            arguments = [self._size(kind, place, part) for part in parts[: 1 if alike else None]]
        if len(arguments) == 1:
            return arguments[0]
        return _let(statements, _one_of(arguments, before), like.stem, like.hint)

    def _pointer(self, kind: PartKind, place: int, part: int) -> Expr:
        like, own = kind.sizes[part][place], kind.parts[part]
        made = replace(like, given=own.launch.arguments[place])
        if isinstance(made.given, Value):
            made.hint = f"{made.given.name}_ptr"
        self.values[made] = own.arguments[place]
        return ref(made)

    def _size(self, kind: PartKind, place: int, part: int) -> Expr:
        made = replace(kind.sizes[part][place])
        self.values[made] = _number(made)
        return ref(made)


def _one_of(values: Sequence[Expr], before: Sequence[Expr]) -> Expr:
    """The first of the values whose condition holds, else the last."""
    found = values[-1]
    for condition, value in zip(reversed(before), reversed(values[:-1]), strict=True):
        found = e.node("where", (condition, value, found), None, value.dtype)
    return found


def _let(into: list[Statement], value: Expr, stem: str, hint: str) -> Expr:
    variable = Local(stem, hint, value.dtype)
    into.append(Let(variable, value))
    return ref(variable)


def _meaning(value: float) -> str:
    """Equal for what is the same at all sizes."""
    return size_text(value) if isinstance(value, Size | Real) else repr(value)


def _number(argument: KernelArgument) -> int | float:
    value = given(argument)
    assert not isinstance(value, Value | Scratch), "a size, or what follows from one"
    return value


def _for_program(
    body: Sequence[Statement], program: Expr, instead: dict[Local, Expr]
) -> list[Statement]:
    """``body`` for one program of a part, with other arguments (``instead``)."""
    instead = dict(instead)

    def plain(statements: Sequence[Statement]) -> Iterator[Statement]:
        for statement in statements:
            if not isinstance(statement, Loop):
                yield statement
            elif statement.kind is Kind.GRID:
                assert statement.axis == 0, "a light kernel has programs along one axis"
                instead[statement.variable] = program
                yield from plain(statement.body)
            else:
                yield replace(statement, body=list(plain(statement.body)))

    def change(value: Expr) -> Expr:
        return instead.get(value.value, value) if value.op == "ref" else value

    return rewritten(list(plain(body)), change)
