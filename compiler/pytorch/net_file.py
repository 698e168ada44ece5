"""The file around a net's layers: its imports, what it says of itself, and how it is used."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ir.graph import Role
from ir.printable import printable
from ir.program import NetProgram
from ir.size import value_of

from .printing.helper_files import helper_text, with_needs
from .printing.layout import Bracketed, calls, lines
from .printing.literals import in_docstring


@dataclass(frozen=True)
class NetParts:
    """What is written of a net.

    Attributes:
        helpers: names of the files with what the others call.
        classes: each its lines.
        init, forward: lines of these two methods; of ``__init__`` those that make layers.
        outputs: names of what ``forward`` gives.
        multipliers: by the names of parameters lr_mult and decay_mult, where these are not 1.
        definitions: what else is defined, behind the net.
    """

    helpers: Iterable[str]
    classes: Sequence[Sequence[str]]
    init: Sequence[str]
    forward: Sequence[str]
    outputs: Iterable[str]
    multipliers: Mapping[str, tuple[float, float]]
    definitions: Sequence[str] = ()


def file_text(program: NetProgram, parts: NetParts, version: str, source: str) -> str:
    """The text of ``net.py``.

    Args:
        source: the name of the prototxt.
    """
    shapes = {
        port.name: [str(value_of(d)) for d in port.value.shape]
        for port in program.graph.inputs
        if port.role is Role.DATA
    }
    methods = _METHODS.replace("@mode@", "" if program.phase == "TRAIN" else ".eval()")
    net = [*_head(shapes, parts), *parts.init, "", *parts.forward, "", methods]
    helpers = [helper_text(name) for name in with_needs(sorted(parts.helpers))]
    classes = map("\n".join, parts.classes)
    body = "\n\n\n".join([*helpers, *classes, "\n".join(net), *parts.definitions])
    imports = ["from pathlib import Path", "", "import torch"]
    imports += ["from safetensors.torch import load_model", "from torch import nn"]
    if re.search(r"\bF\.", body):
        imports.append("from torch.nn import functional as F")
    top = "\n".join([*_title(program.name, version, source), "", *imports])
    return f"{top}\n\n\n{body}\n\n\n{_main(shapes)}\n"


def _title(name: str, version: str, source: str) -> list[str]:
    named = f"'{in_docstring(printable(name))}'" if name else "without a name"
    text = [f'"""The net {named} in PyTorch, written by Roastery {version}.', ""]
    if source:
        shown = in_docstring(printable(source))
        text += [f"It was {shown}. Its weights are in net.safetensors.", ""]
    return [*text, *_USE.splitlines()]


def _head(shapes: Mapping[str, Sequence[str]], parts: NetParts) -> list[str]:
    """The class as far as its ``__init__``."""
    rows = [
        f"    * {in_docstring(printable(name))}: {' x '.join(shape) or 'a number'}"
        for name, shape in shapes.items()
    ]
    shown = ", ".join(in_docstring(printable(name)) for name in parts.outputs)
    return [
        "class Net(nn.Module):",
        '    """Takes float tensors:',
        "",
        *rows,
        "",
        f"    Gives: {shown or 'nothing'}.",
        '    """',
        "",
        *lines(_table(parts.multipliers), 4, "multipliers = "),
        "",
        "    def __init__(self):",
        "        super().__init__()",
    ]


def _table(multipliers: Mapping[str, tuple[float, float]]) -> Bracketed:
    entries = tuple(f'"{name}": ({a!r}, {b!r})' for name, (a, b) in multipliers.items())
    return Bracketed("{", entries, "}", literal=True)


def _main(shapes: Mapping[str, Sequence[str]]) -> str:
    fed = [f"torch.zeros({', '.join(shape) or '()'})" for shape in shapes.values()]
    return _MAIN + "\n".join(lines(calls("net", *fed), 4))


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
