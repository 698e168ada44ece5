"""A net as the text of a Python file with one ``nn.Module``, and the tensors that it loads.

Each layer is a line in ``__init__`` and one in ``forward`` (:mod:`compiler.pytorch.forward`): a
module of PyTorch's where that does what Caffe's layer does (:mod:`compiler.pytorch.rules`); else a
class in the same file, written op by op (:mod:`compiler.pytorch.classes`). Sizes that may change
are variables.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ir.errors import ErrorGroup, RoasteryError
from ir.expr import walk
from ir.graph import Role
from ir.location import Location
from ir.op import Property
from ir.ops.pointwise import Map
from ir.program import RANDOM_STATE, LayerInfo, NetProgram, Variable

from . import rules  # noqa: F401  (registers them)
from .classes import layer_class
from .forward import LayerLine, forward_lines, place_comment, returned_values
from .net_file import NetParts, file_text
from .printing.body import Body
from .printing.helper_files import helper_names
from .printing.layout import calls, lines
from .printing.literals import in_docstring
from .printing.names import ATTRIBUTES, PythonNames, class_name
from .printing.nodes import needed_nodes, write_nodes
from .printing.refusal import NotWritten
from .printing.registry import LAYER_RULES, LayerView, TorchModule

_FUNCTIONS = ("int", "float", "max", "min", "abs", "range", "super")
"""Of Python, which the text calls."""

_LONG = Property.HOST | Property.DYNAMIC | Property.REPEATED | Property.RANDOM
_MOST_STEPS = 12
"""Of an expression that stands in ``forward``."""

_KNOWN = (
    "Net",
    "F",
    "torch",
    "nn",
    "math",
    "load_model",
    "Path",
    "show",
    "net",
    "picture",
    "classes",
)


@dataclass
class WrittenModule:
    """The file's text, and which of the net's variables each tensor is, by its name in it."""

    text: str
    tensors: dict[str, str] = field(default_factory=dict)


def write_module(
    program: NetProgram,
    settings: Mapping[str, Any],
    version: str,
    source: str = "",
    definitions: Sequence[str] = (),
) -> WrittenModule:
    """Write a net, at all sizes that it may have.

    Args:
        settings: the layers' messages, by their keys: for what layers do in training alone.
        source: the name of the prototxt.
        definitions: of ``picture`` and ``classes``, behind the net.

    Raises RoasteryError that names all layers that cannot be written.
    """
    return _Writer(program, settings).written(version, source, definitions)


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
            port.value: port.name
            for port in graph.outputs
            if port.role is Role.STATE and port.name != RANDOM_STATE
        }
        self.helpers: dict[str, None] = {}
        self.classes: dict[tuple[str, ...], str] = {}
        self.class_texts: list[list[str]] = []
        self.class_names = PythonNames([*_KNOWN, *helper_names()])
        self.attributes = PythonNames(ATTRIBUTES)
        self.tensor_of: dict[str, str] = {}  # by the variable's name
        symbols = {s.lower() for s in self.program.values}
        self.reserved = tuple(sorted({*symbols, *helper_names(), *_FUNCTIONS}))

    def written(self, version: str, source: str, definitions: Sequence[str]) -> WrittenModule:
        found = self._lines()
        init = self._init(found)
        held = {
            value: self.tensor_of[variable.name]
            for value, variable in self.variables.items()
            if variable.name in self.tensor_of
        }
        forward = forward_lines(self.program, found, held, Body(self._use, self.reserved))
        outputs = returned_values(self.program)
        parts = NetParts(
            self.helpers,
            self.class_texts,
            init,
            forward,
            outputs,
            self._multipliers(),
            definitions,
        )
        own = {tensor: name for name, tensor in self.tensor_of.items()}
        return WrittenModule(file_text(self.program, parts, version, source), own)

    # --- layers ------------------------------------------------------------------------

    def _lines(self) -> list[LayerLine]:
        found: list[LayerLine] = []
        errors: list[RoasteryError] = []
        for info in self.program.layers:
            view = self._view(info)
            if not view.nodes and not self._trains(view):
                continue  # fed from outside, or passes its bottoms on
            if info.is_split:
                found.append(LayerLine(view, "", None, info.bottom_values))
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
        states = [v for v in made if v in self.written_by]
        nodes = tuple(needed_nodes(nodes, [*info.top_values, *states]))
        own = [self.values[name] for name in info.variables if name in self.values]
        read = [value for node in nodes for value in node.inputs if value in self.variables]
        names = dict.fromkeys([*own, *read])
        variables = tuple(self.variables[value] for value in names if value in self.variables)
        return LayerView(info, nodes, variables, self.settings.get(info.key))

    def _trains(self, view: LayerView) -> bool:
        """Whether a layer that passes its bottom on does something in training."""
        bottoms, tops = view.info.bottom_values, view.info.top_values
        return len(tops) == 1 and tops[0] in bottoms and self._ruled(view) is not None

    def _ruled(self, view: LayerView) -> TorchModule | None:
        rule = LAYER_RULES.get(view.info.type)
        return rule(view) if rule is not None else None

    def _line(self, view: LayerView) -> LayerLine:
        ruled = self._ruled(view)
        if ruled is None and self._is_short(view):
            write_nodes(view.nodes, self._trial(view))
            return LayerLine(view, "", None, tuple(dict.fromkeys(view.info.bottom_values)))
        attribute = self.attributes.fresh(view.info.key)
        if ruled is not None:
            if ruled.helper:
                self._use(ruled.helper)
            bottoms = view.info.bottom_values[: ruled.bottoms]
            return LayerLine(view, attribute, ruled, bottoms, (), ruled.tensors, ruled.text)
        taken = self.reserved
        made = layer_class(view, self.values, self.written_by, self._use, taken)
        name = self.classes.get(made.lines)
        if name is None:
            name = self.class_names.fresh(class_name(view.info.key))
            self.classes[made.lines] = name
            title = f"{view.info.type}, as Caffe computes it."
            text = [line.replace("@title@", in_docstring(title)) for line in made.lines]
            self.class_texts.append([f"class {name}(nn.Module):", *text])
        return LayerLine(
            view, attribute, None, made.bottoms, made.symbols, made.tensors, calls(name)
        )

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

    def _init(self, found: Sequence[LayerLine]) -> list[str]:
        text: list[str] = []
        for line in found:
            if not line.attribute:
                continue
            text.append(f"        # {place_comment(line.view.info)}")
            text += lines(line.made, 8, f"self.{line.attribute} = ")
            for variable, tensor in zip(line.view.variables, line.tensors, strict=True):
                text += self._tensor(line, variable, f"{line.attribute}.{tensor}")
        return text

    def _tensor(self, line: LayerLine, variable: Variable, name: str) -> list[str]:
        owner = self.tensor_of.get(variable.name)
        if owner is not None:
            return [f"        self.{name} = self.{owner}"]
        self.tensor_of[variable.name] = name
        frozen = variable.role is Role.PARAMETER and not variable.learns
        if line.rule is not None and frozen and not line.rule.helper:
            return [f"        self.{name}.requires_grad_(False)"]
        return []

    def _multipliers(self) -> dict[str, tuple[float, float]]:
        """Of parameters that learn otherwise than the solver says, by their names."""
        return {
            tensor: (v.lr_mult, v.decay_mult)
            for name, tensor in self.tensor_of.items()
            if (v := self.program.variables[name]).role is Role.PARAMETER
            and v.learns
            and (v.lr_mult, v.decay_mult) != (1.0, 1.0)
        }


def _refused(info: LayerInfo, why: str) -> RoasteryError:
    place = info.location
    return RoasteryError(
        f"a layer of type {info.type} cannot be written for PyTorch: {why}",
        location=place
        if place.layer
        else Location(place.file, place.line, place.column, info.name, place.text),
        hint="cut the net before it, or compute its tops in PyTorch and make them inputs",
    )
