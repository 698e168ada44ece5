"""What printers of kernels share: lines, names, arguments, and expressions by operators."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from ir.expr import Expr, Number
from ir.printable import printable
from ir.types import BOOL, DType

from .expressions import KernelArgument, Local
from .names import Names
from .nodes import If, KernelBody, Loop, Remark, Simple, Statement
from .operators import ANY, ATOM, UNARY, Spell


@dataclass(frozen=True, slots=True)
class Text:
    """The lines of a kernel's function, its arguments in their order, and the helpers it calls."""

    lines: list[str]
    arguments: list[tuple[str, KernelArgument]]
    helpers: list[str]


@dataclass
class KernelPrinter(ABC):
    """Prints a kernel's statements. A language says how it writes them, and spells primitives."""

    kernel: KernelBody
    names: Names
    lines: list[str] = field(default_factory=list)
    helpers: list[str] = field(default_factory=list)
    arguments: dict[KernelArgument, str] = field(default_factory=dict)

    spelling: ClassVar[Mapping[str, Spell]]  # keyed like ir.primitives.PRIMITIVES
    branch: ClassVar[str]  # what a condition stands in
    literals: ClassVar[Mapping[str, str]]  # what is no number; real: how others end
    block_ends: ClassVar[tuple[str, str]]  # what opens a block, behind its head, and closes it

    @abstractmethod
    def simple(self, statement: Simple) -> str:
        """The line of a statement that holds no others."""

    @abstractmethod
    def head(self, loop: Loop) -> str:
        """What a loop begins with; empty for one that the text does not show."""

    @abstractmethod
    def comment(self, text: str) -> str: ...

    @abstractmethod
    def own(self, value: Expr) -> tuple[str, int]:
        """What the IR's expressions do not have: the text, and how tightly it binds."""

    def text(self, body: Sequence[Statement]) -> Text:
        self.block(body, 1)
        order = ("pointer", "size", "number")
        arguments = sorted(self.arguments.items(), key=lambda item: order.index(item[0].kind))
        return Text(self.lines, [(name, a) for a, name in arguments], self.helpers)

    def block(self, body: Sequence[Statement], depth: int) -> None:
        for statement in body:
            match statement:
                case Remark(text):
                    if self.names.readable:
                        self.line(self.comment(printable(text)), depth)
                case Loop(body=inner):
                    self.nested(self.head(statement), inner, depth)
                case If(condition, inner, otherwise):
                    self.nested(self.branch.format(self.expr(condition)), inner, depth)
                    if otherwise:
                        self.nested("else", otherwise, depth)
                case _:
                    self.line(self.simple(statement), depth)

    def nested(self, head: str, body: Sequence[Statement], depth: int) -> None:
        if not head:
            return self.block(body, depth)
        begin, end = self.block_ends
        self.line(head + begin, depth)
        self.block(body, depth + 1)
        if end:
            self.line(end, depth)

    def line(self, text: str, depth: int) -> None:
        self.lines.append("    " * depth + text)

    def expr(self, value: Expr, least: int = ANY) -> str:
        """The text, in parentheses where it binds less tightly than its place asks for."""
        text, binding = self.bound(value)
        return text if binding >= least else f"({text})"

    def bound(self, value: Expr) -> tuple[str, int]:
        """The text, and how tightly it binds."""
        if value.op == "ref":
            return self.name(value.value), ATOM
        if value.op == "const":
            text = self.literal(value.value, value.dtype)
            return text, UNARY if text.startswith("-") else ATOM
        spell = self.spelling.get(value.op)
        return spell(value, self) if spell else self.own(value)

    def operands(self, value: Expr) -> str:
        return ", ".join(self.expr(a) for a in value.args)

    def literal(self, value: Number, dtype: DType) -> str:
        if dtype is BOOL:
            return self.literals[str(bool(value)).lower()]
        if not dtype.is_float:
            return str(int(value))
        text = repr(float(value))
        return self.literals.get(text) or self.literals["real"].format(text)

    def assignment(self, variable: Local, value: Expr) -> str:
        name = self.name(variable)
        if value.op in ("add", "mul") and value.args[0].value is variable:
            return f"{name} {'+' if value.op == 'add' else '*'}= {self.expr(value.args[1])}"
        return f"{name} = {self.expr(value)}"

    def name(self, variable: Local) -> str:
        name = self.names.of(variable)
        if isinstance(variable, KernelArgument):
            self.arguments.setdefault(variable, name)
        return name

    def helper(self, name: str) -> str:
        if name not in self.helpers:
            self.helpers.append(name)
        return name
