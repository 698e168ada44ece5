"""``forward`` of a net: a line for each layer, or a few where it is short."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ir.graph import Role, Value
from ir.printable import printable
from ir.program import LOSS_OUTPUT, LayerInfo, NetProgram
from ir.size import value_of

from .classes import symbol_in
from .printing.body import Body, symbol_name
from .printing.layout import Bracketed, PythonText, calls, lines
from .printing.literals import string_literal
from .printing.nodes import needed_nodes, write_nodes
from .printing.registry import LayerView, TorchModule


@dataclass(frozen=True)
class LayerLine:
    """A layer: what ``__init__`` makes (if anything), and how ``forward`` computes it."""

    view: LayerView
    attribute: str
    rule: TorchModule | None
    bottoms: tuple[Value, ...] = ()
    symbols: tuple[str, ...] = ()
    tensors: tuple[str, ...] = ()
    made: PythonText = ""


def forward_lines(
    program: NetProgram, found: Sequence[LayerLine], held: Mapping[Value, str], body: Body
) -> list[str]:
    """The method.

    Args:
        held: attributes that are variables of the net.
        body: an empty one.
    """
    return _Forward(program, found, body).written(held)


def returned_values(program: NetProgram) -> dict[str, Value]:
    """What ``forward`` gives, by name."""
    ports, shown = program.graph.outputs, program.outputs
    found = {p.name: p.value for p in ports if p.role is Role.RESULT and p.name in shown}
    if program.phase == "TRAIN":
        found |= {p.name: p.value for p in ports if p.name == LOSS_OUTPUT}
    return found


def place_comment(info: LayerInfo) -> str:
    """The layer's type, where it stands, and its name where its attribute is called otherwise."""
    place = f"{info.location.file.rpartition('/')[2]}:{info.location.line}"
    shown = f"{info.type}, {printable(place)}" if info.location.line else info.type
    return shown if info.key == info.name else f"{shown} ({printable(info.name)})"


class _Forward:
    def __init__(self, program: NetProgram, found: Sequence[LayerLine], body: Body) -> None:
        self.program, self.found, self.body = program, found, body
        self.left = self._last_reads()

    def written(self, held: Mapping[Value, str]) -> list[str]:
        body = self.body
        fed = {
            body.names.fresh(port.name): port.value
            for port in self.program.graph.inputs
            if port.role is Role.DATA
        }
        body.of.update((value, name) for name, value in fed.items())
        body.of.update((value, f"self.{attribute}") for value, attribute in held.items())
        body.device_of = next(iter(fed), "")
        for number, line in enumerate(self.found):
            self._call(line, number)
        self._give(returned_values(self.program))
        sizes = [
            f"        {symbol_name(symbol)} = {symbol_in(symbol, fed) or self._number(symbol)}"
            for symbol in body.symbols
        ]
        return [*lines(calls("def forward", "self", *fed), 4, behind=":"), *sizes, *body.lines]

    def _give(self, outputs: Mapping[str, Value]) -> None:
        """Return them, with what is computed behind all layers."""
        body, graph = self.body, self.program.graph
        covered = {
            id(n) for info in self.program.layers for n in graph.nodes[info.first : info.last]
        }
        rest = [node for node in graph.nodes if id(node) not in covered]
        write_nodes(needed_nodes(rest, outputs.values()), body)
        if len(outputs) == 1 and LOSS_OUTPUT not in outputs:
            body.line(body.operand(*outputs.values()), "return ")
        else:
            pairs = [
                f"{string_literal(name)}: {body.operand(value)}" for name, value in outputs.items()
            ]
            body.line(Bracketed("{", tuple(pairs), "}", literal=True), "return ")

    def _number(self, symbol: str) -> str:
        return str(value_of(self.program.values[symbol]))

    def _last_reads(self) -> dict[Value, int]:
        """The number of the line behind which nothing reads a value, where any does."""
        left = {value: number for number, line in enumerate(self.found) for value in line.bottoms}
        return left | {port.value: len(self.found) for port in self.program.graph.outputs}

    def _call(self, line: LayerLine, number: int) -> None:
        body, info = self.body, line.view.info
        tops = info.top_values
        given = [body.operand(value) for value in line.bottoms]
        if info.is_split:
            body.of.update((value, given[0]) for value in tops)
            return
        if not line.attribute:
            body.lines.append(f"        # {place_comment(info)}")
            names: Iterable[str] = map(body.names.fresh, info.tops)
            if len(tops) == 1:
                names = [self._name(info.tops[0], tops[0], number)]
            body.called.update(zip(tops, names, strict=True))
            write_nodes(line.view.nodes, body)
            return
        if line.rule is not None:
            given[0] += line.rule.before
        body.symbols.update(dict.fromkeys(line.symbols))
        text = calls(f"self.{line.attribute}", *given, *map(symbol_name, line.symbols))
        names = [self._name(*top, number) for top in zip(info.tops, tops, strict=True)]
        body.line(text, f"{', '.join(names)} = " if names else "")
        body.of.update(zip(tops, names, strict=True))

    def _name(self, blob: str, value: Value, number: int) -> str:
        """A variable for a top: that of an older version of the blob, if nothing reads that."""
        of = self.body.of
        for older in reversed(self.program.blobs.get(blob, ())):
            name = of.get(older)
            if older is value or name is None or not name.isidentifier():
                continue
            holders = [v for v, held in of.items() if held == name]
            if all(self.left.get(v, -1) <= number for v in holders):
                return name
            break
        return self.body.names.fresh(blob)
