"""A net as the text of a Python file with one ``nn.Module``, and the tensors that it loads.

Each layer is a line in ``__init__`` and one in ``forward``: a module of PyTorch's where that does
what Caffe's layer does (:mod:`compiler.pytorch.rules`); else a class in the same
file, written op by op (:mod:`compiler.pytorch.classes`). Sizes that may change are variables.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ir.errors import ErrorGroup, RoasteryError
from ir.expr import walk
from ir.graph import Role, Value
from ir.location import Location
from ir.op import Property
from ir.ops.pointwise import Map
from ir.printable import printable
from ir.program import LOSS_OUTPUT, RANDOM_STATE, LayerInfo, NetProgram, Variable
from ir.size import value_of

from . import rules  # noqa: F401  (registers them)
from .classes import layer_class, symbol_in
from .printing.body import Body, symbol_name
from .printing.helper_files import helper_names, helper_text, with_needs
from .printing.layout import Bracketed, calls, lines
from .printing.names import ATTRIBUTES, PythonNames, class_name
from .printing.nodes import needed_nodes, write_nodes
from .printing.refusal import NotWritten
from .printing.registry import LAYER_RULES, LayerRule, LayerView, TorchModule

_FUNCTIONS = ("int", "float", "max", "min", "abs", "range", "super")
"""Of Python, which the text calls."""

_LONG = Property.HOST | Property.DYNAMIC | Property.REPEATED | Property.RANDOM
_MOST_STEPS = 12
"""Of an expression that stands in ``forward``."""

_KNOWN = ("Net", "F", "torch", "nn", "math", "load_model", "Path", "show", "net")


@dataclass
class WrittenModule:
    """The file's text, and which of the net's variables each tensor is, by its name in it."""

    text: str
    tensors: dict[str, str] = field(default_factory=dict)


def write_module(
    program: NetProgram, settings: Mapping[str, Any], version: str, source: str = ""
) -> WrittenModule:
    """Write a net, at all sizes that it may have.

    Args:
        settings: the layers' messages, by their keys: for what layers do in training alone.
        source: the name of the prototxt.

    Raises RoasteryError that names all layers that cannot be written.
    """
    return _Writer(program, settings).written(version, source)


@dataclass(frozen=True)
class _Line:
    """A layer: what ``__init__`` makes (if anything), and how ``forward`` computes it."""

    view: LayerView
    attribute: str
    rule: TorchModule | None
    bottoms: tuple[Value, ...] = ()
    symbols: tuple[str, ...] = ()
    tensors: tuple[str, ...] = ()
    made: Any = None


class _Writer:
    def __init__(self, program: NetProgram, settings: Mapping[str, Any]) -> None:
        self.program = program.symbolic()
        self.settings = settings
        graph = self.program.graph
        self.values = {port.name: port.value for port in graph.inputs}
        self.variables = {
            self.values[v.name]: v
            for v in self.program.variables.values()
            if v.name in self.values and v.name != RANDOM_STATE
        }
        self.written_by = {
            port.value: port.name for port in graph.outputs if port.role is Role.STATE
        }
        self.helpers: dict[str, None] = {}
        self.classes: dict[tuple[str, ...], str] = {}
        self.class_texts: list[list[str]] = []
        self.class_names = PythonNames([*_KNOWN, *helper_names()])
        self.attributes = PythonNames(ATTRIBUTES)
        self.tensor_of: dict[str, str] = {}  # by the variable's name
        symbols = {s.lower() for s in self.program.values}
        self.reserved = tuple(sorted({*symbols, *helper_names(), *_FUNCTIONS}))

    def written(self, version: str, source: str) -> WrittenModule:
        found = self._lines()
        init = self._init(found)
        forward = self._forward(found)
        text = self._assembled(init, forward, version, source)
        own = {
            tensor: name
            for name, tensor in self.tensor_of.items()
            if name in self.program.variables
        }
        return WrittenModule(text, own)

    # --- layers ------------------------------------------------------------------------

    def _lines(self) -> list[_Line]:
        found: list[_Line] = []
        errors: list[RoasteryError] = []
        for info in self.program.layers:
            view = self._view(info)
            if not view.nodes and self._gives_bottoms(view):
                if not self._trains(view):
                    continue
            elif not view.nodes:
                continue  # fed from outside
            if info.is_split:
                found.append(_Line(view, "", None, info.bottom_values))
                continue
            try:
                found.append(self._line(view))
            except NotWritten as why:
                errors.append(_refused(info, str(why)))
        if errors:
            raise errors[0] if len(errors) == 1 else ErrorGroup(errors)
        return found

    def _view(self, info: LayerInfo) -> LayerView:
        nodes = self.program.graph.nodes[info.first : info.last]
        made = [value for node in nodes for value in node.outputs]
        states = [v for v in made if self.written_by.get(v, RANDOM_STATE) != RANDOM_STATE]
        nodes = tuple(needed_nodes(nodes, [*info.top_values, *states]))
        own = [self.values[name] for name in info.variables if name in self.values]
        read = [value for node in nodes for value in node.inputs if value in self.variables]
        names = dict.fromkeys([*own, *read])
        variables = tuple(self.variables[value] for value in names if value in self.variables)
        return LayerView(info, nodes, variables, self.settings.get(info.key))

    def _gives_bottoms(self, view: LayerView) -> bool:
        return all(top in view.info.bottom_values for top in view.info.top_values) and bool(
            view.info.bottom_values
        )

    def _trains(self, view: LayerView) -> bool:
        """Whether a layer that passes its bottom on does something in training."""
        rule = LAYER_RULES.get(view.info.type)
        return bool(rule) and len(view.info.top_values) == 1 and self._ruled(view) is not None

    def _ruled(self, view: LayerView) -> TorchModule | None:
        rule: LayerRule | None = LAYER_RULES.get(view.info.type)
        return rule(view) if rule is not None else None

    def _line(self, view: LayerView) -> _Line:
        ruled = self._ruled(view)
        if ruled is None and self._is_short(view):
            write_nodes(view.nodes, self._trial(view))
            return _Line(view, "", None, tuple(dict.fromkeys(view.info.bottom_values)))
        attribute = self.attributes.fresh(view.info.key)
        if ruled is not None:
            if ruled.helper:
                self._use(ruled.helper)
            bottoms = view.info.bottom_values[: ruled.bottoms]
            return _Line(view, attribute, ruled, bottoms, (), ruled.tensors, ruled.text)
        taken = self.reserved
        made = layer_class(view, self.values, self.written_by, self._use, taken)
        name = self.classes.get(made.lines)
        if name is None:
            name = self.class_names.fresh(class_name(view.info.key))
            self.classes[made.lines] = name
            title = f"{view.info.type}, as Caffe computes it."
            text = [line.replace("@title@", _in_docstring(title)) for line in made.lines]
            self.class_texts.append([f"class {name}(nn.Module):", *text])
        return _Line(view, attribute, None, made.bottoms, made.symbols, made.tensors, calls(name))

    def _is_short(self, view: LayerView) -> bool:
        """Whether a layer is a line or two of ``forward``."""
        kept = view.views()
        plain = not any(node.op.properties & _LONG for node in kept)
        made = {value for node in view.nodes for value in node.outputs}
        known = made.union(view.info.bottom_values)
        closed = all(value in known for node in view.nodes for value in node.inputs)
        closed &= known.isdisjoint(self.written_by)
        exprs = [node.op.exprs for node in kept if isinstance(node.op, Map)]
        small = all(len(walk(*roots)) <= _MOST_STEPS for roots in exprs)
        return plain and closed and small and not view.variables and len(kept) <= 2

    def _trial(self, view: LayerView) -> Body:
        """Where a layer is written to see whether it can be."""
        body = Body(self._use, self.reserved, "x")
        body.of.update((value, "x") for value in view.info.bottom_values)
        return body

    def _use(self, helper: str) -> None:
        self.helpers[helper] = None

    # --- __init__ ----------------------------------------------------------------------

    def _init(self, found: Sequence[_Line]) -> list[str]:
        text: list[str] = []
        for line in found:
            if not line.attribute:
                continue
            text.append(f"        # {_comment(line.view.info)}")
            text += lines(line.made, 8, f"self.{line.attribute} = ")
            for variable, tensor in zip(line.view.variables, line.tensors, strict=True):
                text += self._tensor(line, variable, f"{line.attribute}.{tensor}")
        return text

    def _tensor(self, line: _Line, variable: Variable, name: str) -> list[str]:
        owner = self.tensor_of.get(variable.name)
        if owner is not None:
            return [f"        self.{name} = self.{owner}"]
        self.tensor_of[variable.name] = name
        frozen = variable.role is Role.PARAMETER and not variable.learns
        if isinstance(line.rule, TorchModule) and frozen and not line.rule.helper:
            return [f"        self.{name}.requires_grad_(False)"]
        return []

    # --- forward -----------------------------------------------------------------------

    def _forward(self, found: Sequence[_Line]) -> list[str]:
        graph = self.program.graph
        body = Body(self._use, self.reserved)
        fed = [port for port in graph.inputs if port.role is Role.DATA]
        for port in fed:
            body.of[port.value] = body.names.fresh(port.name)
        for value, variable in self.variables.items():
            if variable.name in self.tensor_of:
                body.of[value] = f"self.{self.tensor_of[variable.name]}"
        if fed:
            body = self._on_device(body, body.of[fed[0].value])
        left = self._last_reads(found)
        for number, line in enumerate(found):
            self._call(line, body, left, number)
        outputs = self._outputs()
        covered = {
            id(n) for info in self.program.layers for n in graph.nodes[info.first : info.last]
        }
        rest = [node for node in graph.nodes if id(node) not in covered]
        write_nodes(needed_nodes(rest, outputs.values()), body)
        if len(outputs) == 1 and LOSS_OUTPUT not in outputs:
            body.line(body.operand(*outputs.values()), "return ")
        else:
            pairs = [f"{_quoted(name)}: {body.operand(value)}" for name, value in outputs.items()]
            body.line(Bracketed("{", tuple(pairs), "}", literal=True), "return ")
        names = {body.of[port.value]: port.value for port in fed}
        sizes = [
            f"        {symbol_name(symbol)} = {symbol_in(symbol, names) or self._number(symbol)}"
            for symbol in body.symbols
        ]
        head = lines(calls("def forward", "self", *names), 4, behind=":")
        return [*head, *sizes, *body.lines]

    def _number(self, symbol: str) -> str:
        return str(value_of(self.program.values[symbol]))

    def _on_device(self, body: Body, name: str) -> Body:
        made = Body(self._use, self.reserved, name)
        made.of, made.names = body.of, body.names
        return made

    def _last_reads(self, found: Sequence[_Line]) -> dict[Value, int]:
        """The number of the line behind which nothing reads a value."""
        left: dict[Value, int] = {}
        for number, line in enumerate(found):
            for value in line.bottoms:
                left[value] = number
        after = len(found)
        left.update((port.value, after) for port in self.program.graph.outputs)
        for node in self.program.graph.nodes:
            for value in node.inputs:
                left.setdefault(value, -1)
        return left

    def _call(self, line: _Line, body: Body, left: Mapping[Value, int], number: int) -> None:
        given = [body.operand(value) for value in line.bottoms]
        if isinstance(line.rule, TorchModule) and line.rule.before:
            given[0] += line.rule.before
        info = line.view.info
        tops = info.top_values
        if info.is_split:
            body.of.update((value, given[0]) for value in tops)
            return
        if not line.attribute:
            body.lines.append(f"        # {_comment(info)}")
            for blob, value in zip(info.tops, tops, strict=True):
                body.called[value] = (
                    self._name(blob, value, body, left, number)
                    if len(tops) == 1
                    else body.names.fresh(blob)
                )
            write_nodes(line.view.nodes, body)
            return
        for symbol in line.symbols:
            body.symbols[symbol] = None
        text = calls(f"self.{line.attribute}", *given, *map(symbol_name, line.symbols))
        names = [
            self._name(blob, value, body, left, number)
            for blob, value in zip(info.tops, tops, strict=True)
        ]
        body.line(text, f"{', '.join(names)} = " if names else "")
        body.of.update(zip(tops, names, strict=True))

    def _name(
        self, blob: str, value: Value, body: Body, left: Mapping[Value, int], number: int
    ) -> str:
        """A variable for a top: that of an older version of the blob, if nothing reads that."""
        for older in reversed(self.program.blobs.get(blob, ())):
            name = body.of.get(older)
            if older is value or name is None or not name.isidentifier():
                continue
            holders = [v for v, held in body.of.items() if held == name]
            if all(left.get(v, -1) <= number for v in holders):
                return name
            break
        return body.names.fresh(blob)

    def _outputs(self) -> dict[str, Value]:
        shown = self.program.outputs
        ports = self.program.graph.outputs
        found = {p.name: p.value for p in ports if p.role is Role.RESULT and p.name in shown}
        if self.program.phase == "TRAIN":
            found |= {p.name: p.value for p in ports if p.name == LOSS_OUTPUT}
        return found

    # --- the file ----------------------------------------------------------------------

    def _assembled(
        self, init: Sequence[str], forward: Sequence[str], version: str, source: str
    ) -> str:
        helpers = [helper_text(name) for name in with_needs(sorted(self.helpers))]
        classes = ["\n".join(text) for text in self.class_texts]
        net = "\n".join([*self._head(), *init, "", *forward, "", *self._methods()])
        body = "\n\n\n".join([*helpers, *classes, net])
        imports = ["from pathlib import Path", "", "import torch"]
        imports += ["from safetensors.torch import load_model", "from torch import nn"]
        if re.search(r"\bF\.", body):
            imports.append("from torch.nn import functional as F")
        title = [
            f'"""The net {_named(self.program.name)} in PyTorch, written by Roastery {version}.',
            "",
        ]
        if source:
            shown = _in_docstring(printable(source))
            title += [f"It was {shown}. Its weights are in net.safetensors.", ""]
        title += _USE.splitlines()
        return "\n".join([*title, "", *imports]) + f"\n\n\n{body}\n\n\n{self._main()}\n"

    def _head(self) -> list[str]:
        ports = [p for p in self.program.graph.inputs if p.role is Role.DATA]
        rows = [
            f"    * {_in_docstring(printable(p.name))}: "
            f"{' x '.join(str(value_of(d)) for d in p.value.shape) or 'a number'}"
            for p in ports
        ]
        shown = ", ".join(_in_docstring(printable(name)) for name in self._outputs())
        return [
            "class Net(nn.Module):",
            '    """Takes float tensors:',
            "",
            *rows,
            "",
            f"    Gives: {shown or 'nothing'}.",
            '    """',
            "",
            *self._table(),
            "    def __init__(self):",
            "        super().__init__()",
        ]

    def _table(self) -> list[str]:
        rows = {
            tensor: (v.lr_mult, v.decay_mult)
            for name, tensor in self.tensor_of.items()
            if (v := self.program.variables[name]).role is Role.PARAMETER
            and v.learns
            and (v.lr_mult, v.decay_mult) != (1.0, 1.0)
        }
        if not rows:
            return ["    multipliers = {}", ""]
        entries = tuple(f'"{name}": ({a!r}, {b!r})' for name, (a, b) in rows.items())
        text = Bracketed("{", entries, "}", literal=True)
        return [*lines(text, 4, "multipliers = "), ""]

    def _methods(self) -> list[str]:
        mode = "" if self.program.phase == "TRAIN" else ".eval()"
        return [
            *_METHODS.replace("@mode@", mode).splitlines(),
        ]

    def _main(self) -> str:
        shapes = [
            f"torch.zeros({', '.join(str(value_of(d)) for d in p.value.shape) or '()'})"
            for p in self.program.graph.inputs
            if p.role is Role.DATA
        ]
        return _MAIN + "\n".join(lines(calls("net", *shapes), 4))


_USE = '''\
Use:

    from net import Net

    net = Net.load("net.safetensors")
"""'''

_METHODS = '''\
    @classmethod
    def load(cls, path="net.safetensors"):
        """The net with its weights."""
        net = cls()
        load_model(net, path)
        return net@mode@

    def param_groups(self, lr, weight_decay=0.0):
        """For torch.optim.SGD: with the lr_mult and decay_mult of the prototxt."""
        groups = []
        for name, tensor in self.named_parameters():
            if tensor.requires_grad:
                rate, decay = self.multipliers.get(name, (1.0, 1.0))
                group = {"params": [tensor], "lr": lr * rate}
                groups.append({**group, "weight_decay": weight_decay * decay})
        return groups'''

_MAIN = '''\
def show(name):
    """A hook that prints the shape of what a layer makes."""

    def hook(layer, inputs, outputs):
        made = outputs if isinstance(outputs, tuple) else (outputs,)
        print(name, *(list(tensor.shape) for tensor in made))

    return hook


if __name__ == "__main__":
    net = Net.load(Path(__file__).with_name("net.safetensors"))
    for name, layer in net.named_children():
        layer.register_forward_hook(show(name))
'''


def _refused(info: LayerInfo, why: str) -> RoasteryError:
    place = info.location
    return RoasteryError(
        f"a layer of type {info.type} cannot be written for PyTorch: {why}",
        location=place
        if place.layer
        else Location(place.file, place.line, place.column, info.name, place.text),
        hint="cut the net before it, or compute its tops in PyTorch and make them inputs",
    )


def _comment(info: LayerInfo) -> str:
    place = f"{info.location.file.rpartition('/')[2]}:{info.location.line}"
    shown = f"{info.type}, {printable(place)}" if info.location.line else info.type
    return shown if info.key == info.name else f"{shown} ({printable(info.name)})"


def _named(name: str) -> str:
    return f"'{_in_docstring(printable(name))}'" if name else "without a name"


def _in_docstring(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', "'")


def _quoted(text: str) -> str:
    """A literal as formatters write it: in the quotes that ask for fewer escapes."""
    quote = '"' if text.count('"') <= text.count("'") else "'"
    inside = (f"\\{c}" if c == quote else c if c in "'\"" else repr(c)[1:-1] for c in text)
    return f"{quote}{''.join(inside)}{quote}"
