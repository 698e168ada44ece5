"""A layer that PyTorch has not, as a class of its own, op by op."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from ir.graph import Node, Role, Value
from ir.ops.pointwise import Map
from ir.program import PROGRESS, RANDOM_STATE, Variable
from ir.size import form_of, value_of
from ir.types import TensorType

from .printing.body import Body, symbol_name
from .printing.expressions import TORCH_TYPES
from .printing.layout import calls
from .printing.names import PythonNames
from .printing.nodes import write_nodes
from .printing.refusal import NotWritten
from .printing.registry import LayerView


@dataclass(frozen=True)
class LayerClass:
    """The lines of a class but its first, and how it is called.

    Attributes:
        tensors: names of the layer's variables, in their order.
        bottoms: the values that ``forward`` takes, in their order.
        symbols: sizes that it takes besides.
    """

    lines: tuple[str, ...]
    tensors: tuple[str, ...]
    bottoms: tuple[Value, ...]
    symbols: tuple[str, ...]


def layer_class(
    layer: LayerView,
    values: Mapping[str, Value],
    written: Mapping[Value, str],
    use: Callable[[str], None],
    taken: Sequence[str],
) -> LayerClass:
    """Raises NotWritten where an op has no rule.

    Args:
        values: of the graph's inputs, by name.
        written: variables that the graph writes, by what it writes into them.
        taken: names that mean something.
    """
    bottoms = tuple(dict.fromkeys(layer.info.bottom_values))
    tensors = _tensor_names(layer.variables)
    given = PythonNames(taken)
    parameters = [given.fresh("x") for _ in bottoms]
    device = parameters[0] if parameters else ""
    body = Body(use, [*taken, *parameters], device)
    body.of.update(zip(bottoms, parameters, strict=True))
    for variable, name in zip(layer.variables, tensors, strict=True):
        body.of[values[variable.name]] = f"self.{name}"
    made = [value for node in layer.nodes for value in node.outputs]
    states = {v: written[v] for v in made if v in written}
    _check_inputs(layer.nodes, body)
    write_nodes(layer.nodes, body)
    names = [variable.name for variable in layer.variables]
    for value, written_name in states.items():
        number = names.index(written_name)
        data = ".data" if layer.variables[number].role is Role.PARAMETER else ""
        body.line(f"self.{tensors[number]}{data} = {body.operand(value)}.detach()")
    body.give([body.operand(value) for value in layer.info.top_values])
    found, missing = _symbols(body.symbols, dict(zip(parameters, bottoms, strict=True)))
    head = ['    """@title@"""', ""]
    if layer.variables:
        head += ["    def __init__(self):", "        super().__init__()"]
        for variable, name in zip(layer.variables, tensors, strict=True):
            head.append(f"        {_made(variable, name)}")
        head.append("")
    signature = Body(use)
    signature.indent = 4
    arguments = ["self", *parameters, *map(symbol_name, missing)]
    signature.line(calls("def forward", *arguments), behind=":")
    lines = (*head, *signature.lines, *found, *_spaced(found, body.lines))
    return LayerClass(lines, tensors, bottoms, missing)


def _spaced(before: Sequence[str], lines: Sequence[str]) -> Sequence[str]:
    """With a line between statements and a function that follows."""
    return ["", *lines] if before and lines[0].lstrip().startswith("def ") else lines


def _check_inputs(nodes: Sequence[Node], body: Body) -> None:
    made = {value for node in nodes for value in node.outputs}
    for node in nodes:
        for value in node.inputs:
            if value in made or value in body.of or value.name == RANDOM_STATE:
                continue
            if not isinstance(node.op, Map):
                raise NotWritten(f"it reads '{value.name}', which is inside of another layer")


def _tensor_names(variables: Sequence[Variable]) -> tuple[str, ...]:
    blobs = iter(range(len(variables)))
    hidden = iter(range(len(variables)))
    return tuple(
        "progress"
        if variable.name == PROGRESS
        else f"blob{next(blobs)}"
        if variable.index >= 0
        else f"state{next(hidden)}"
        for variable in variables
    )


def _made(variable: Variable, name: str) -> str:
    shape = ", ".join(str(value_of(d)) for d in variable.type.shape)
    kind = _kind(variable.type)
    zeros = f"torch.zeros({shape or '()'}{kind})"
    if variable.role is not Role.PARAMETER:
        return f'self.register_buffer("{name}", {zeros})'
    more = "" if variable.learns else ", requires_grad=False"
    return f"self.{name} = nn.Parameter({zeros}{more})"


def _kind(type: TensorType) -> str:
    text = TORCH_TYPES[type.dtype]
    return "" if text == "torch.float32" else f", dtype={text}"


def _symbols(
    symbols: Iterable[str], tensors: Mapping[str, Value]
) -> tuple[list[str], tuple[str, ...]]:
    """Statements that find sizes in shapes of tensors, and the sizes that are in none."""
    found, missing = [], []
    for symbol in symbols:
        text = symbol_in(symbol, tensors)
        if text is None:
            missing.append(symbol)
        else:
            found.append(f"        {symbol_name(symbol)} = {text}")
    return found, tuple(missing)


def symbol_in(symbol: str, tensors: Mapping[str, Value]) -> str | None:
    """A size found in shapes of tensors."""
    for name, value in tensors.items():
        for axis, extent in enumerate(value.shape):
            text = _solved(symbol, extent, f"{name}.shape[{axis}]")
            if text is not None:
                return text
    return None


def _solved(symbol: str, extent: int, text: str) -> str | None:
    """The symbol, where an extent is so many of it and some more."""
    factor, more = 0, 0
    for atoms, count in form_of(extent):
        if not atoms:
            more = count
        elif len(atoms) == 1 and atoms[0].key == symbol and not factor:
            factor = count
        else:
            return None
    if factor <= 0:
        return None
    if more:
        text = f"{text} {'-' if more > 0 else '+'} {abs(more)}"
    if factor == 1:
        return text
    return f"({text}) // {factor}" if more else f"{text} // {factor}"
