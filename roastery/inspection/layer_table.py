"""What every layer type takes, as a table made from the registry: docs/layers.md."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable

from frontends.lowering.built_in_python import BUILT_IN
from frontends.lowering.known_layers import layer_types
from frontends.lowering.layer_type import LayerType
from frontends.schema.registry import message_type
from frontends.schema.types import EnumType, FieldType, MessageType

OWN = "your own"
"""``fork`` of layers that users registered; the page does not hold them."""

_INTRODUCTION = """\
# Layers

Made by `roastery layers --markdown` from the registry of layers; a test says when it is stale.

**Bottoms and tops**: how many blobs a layer reads and makes; *in place*: its top may have the name
of its bottom. **Parameters**: the fields of its message, after its name; `=` gives the default,
`*` a repeated field, `!` a required one. Without a value a number is 0, a flag false, a string
empty; *also* names further messages that the layer reads. **Runs**: *everywhere* means on every
executor (`reference`, `cpu`, `cuda`, `interpret`); *host*: it, or a part of it, runs in Python on
the host, between the compiled segments of the net; *reads ahead*: threads on the host prepare its
batches. All but a few layers can be exported, too: [ONNX](onnx.md#what-cannot-be-expressed) and
[PyTorch](pytorch.md#what-is-in-netpy) name those that cannot.
"""

_FORKS = """\
## Layers of forks

The parameters of many more parse: a net that holds such a layer can be read, drawn and upgraded,
and is refused where the layer must be computed. Fields that forks added to Caffe's own layers stand
above, where they are honoured.

"""

_BUILT_IN = """\
## Python layers that are built in

A Python layer that names one of these needs no module: it is made of ops, as all others are. A
module of yours is taken instead where it is there and may be imported; a note says which.
`param_str` may hold, in YAML, every setting of py-faster-rcnn's `config.py` that the layer reads,
such as `'rpn_post_nms_top_n': 100` ([detection](detection.md)).

"""

_NOTES = """\
## What differs from Caffe on purpose

Of every layer:

* An in-place top is a new value that takes over the name. Backward reads what forward really used,
  so that gradients are the true ones where Caffe's buffers hold something else by then: Power, Log,
  Clip, BNLL and LRN in place, and an in-place layer over the top of one whose backward reads it (a
  Dropout in place over the top of a Sigmoid, say).
* A loss that another layer reads keeps its own gradient. Caffe counts a default loss_weight as no
  reader, and the reader's diff (Silence's zeros, for one) takes the place of the loss's.
* Mistakes that Caffe lets pass are errors: a label that names no class, a batch size of 0, a
  `dropout_ratio` of 1. Fields of other forks that would change the result are refused where the
  layer does not honour them; those that only steer another fork's execution are named in a note.
* `engine` and `force_nd_im2col` choose among Caffe's implementations and have no effect. As in
  Caffe, data layers read `scale`, `mean_file`, `crop_size` and `mirror` from `transform_param`, not
  from their own parameters (WindowData reads its own `scale`).
* Layers that share a name, or have none, are told apart by their order, wherever weights are
  copied: the k-th of a name gets what the k-th of that name has. Caffe copies into the first only.
* Random numbers come from one counter-based generator: the same seed gives the same masks on every
  executor, but not those of Caffe.
"""


def layer_page(kind: LayerType) -> str:
    """One layer type as plain text, for ``roastery layers NAME``."""
    title = kind.name + (f" ({kind.fork})" if kind.fork else "")
    lines = [title, f"  {_counts(kind)}; runs: {runs(kind)}"]
    message = _parameters(kind)
    if message is not None:
        lines.append(f"  {kind.param} {{")
        lines += [f"    {_field_line(message, field)}" for field in _shown(kind, message)]
        lines.append("  }")
    if kind.also:
        lines.append(f"  also reads {', '.join(kind.also)}")
    if kind.note:
        lines += textwrap.wrap(
            f"Note: {kind.note}", 96, initial_indent="  ", subsequent_indent="  "
        )
    return "\n".join(lines)


def layer_list() -> str:
    """All layer types, one per line."""
    kinds = list(layer_types().values())
    width = max(len(kind.name) for kind in kinds)
    return "\n".join(
        f"{kind.name:<{width}}  {_counts(kind):<34}  {kind.param or '-'}" for kind in kinds
    )


def markdown() -> str:
    """The page docs/layers.md."""
    kinds = [kind for kind in layer_types().values() if kind.fork != OWN]
    native = [kind for kind in kinds if not kind.fork]
    parts = [
        _INTRODUCTION,
        f"## Caffe's layers ({len(native)})\n\n{_table(native)}",
        _FORKS + _table([kind for kind in kinds if kind.fork], forks=True),
        _BUILT_IN + _built_in_table(),
        _NOTES + "\nOf single layers:\n\n" + _notes(kinds),
    ]
    return "\n".join(parts)


def runs(kind: LayerType) -> str:
    """Where a layer runs: "everywhere", "host" or "reads ahead"."""
    if kind.source:
        return "reads ahead"
    return "host" if kind.host else "everywhere"


def _table(kinds: Iterable[LayerType], *, forks: bool = False) -> str:
    head = "| Layer | Bottoms → tops | Parameters | Runs |"
    rule = "|---|---|---|---|"
    if forks:
        head, rule = head + " Of |", rule + "---|"
    rows = [head, rule]
    for kind in kinds:
        row = f"| {kind.name} | {_counts(kind)} | {_parameter_text(kind)} | {runs(kind)} |"
        rows.append(row + (f" {kind.fork} |" if forks else ""))
    return "\n".join(rows) + "\n"


def _built_in_table() -> str:
    """Of Python layers, by module and class."""
    rows = ["| `module` | `layer` | Bottoms → tops | Runs | Of |", "|---|---|---|---|---|"]
    rows += [
        f"| {module} | {name} | {_counts(kind)} | {runs(kind)} | {kind.fork} |"
        for (module, name), kind in sorted(BUILT_IN.items())
    ]
    return "\n".join(rows) + "\n"


def _notes(kinds: Iterable[LayerType]) -> str:
    by_text: dict[str, list[str]] = {}
    for kind in kinds:
        if kind.note:
            by_text.setdefault(kind.note, []).append(kind.name)
    return "".join(f"* **{', '.join(names)}**: {text}\n" for text, names in by_text.items())


def _counts(kind: LayerType) -> str:
    text = f"{_range(kind.bottom_range)} → {_range(kind.top_range)}"
    if kind.same_count:
        text = f"{_range(kind.bottom_range)} → as many"
    if kind.loss:
        text += ", a loss"
    if kind.in_place:
        text += ", in place"
    return text


def _range(limits: tuple[int, int | None]) -> str:
    low, high = limits
    if high is None:
        return f"{low} or more"
    return str(low) if low == high else f"{low} to {high}"


def _parameters(kind: LayerType) -> MessageType | None:
    if not kind.param:
        return None
    layer = message_type("LayerParameter")
    message = layer.resolve(layer.fields[kind.param])
    assert isinstance(message, MessageType), kind.param
    return message


def _shown(kind: LayerType, message: MessageType) -> list[FieldType]:
    """Fields that have a meaning here: Caffe's own, and those of forks that are honoured."""
    return [
        field
        for field in message
        if not message.native or field.number is not None or field.name in kind.fork_fields
    ]


def _parameter_text(kind: LayerType) -> str:
    message = _parameters(kind)
    text = ""
    if message is not None:
        fields = ", ".join(_short(message, field) for field in _shown(kind, message))
        text = f"`{kind.param}`: {'any fields' if message.free else fields}"
    also = ", ".join(f"`{name}`" for name in kind.also)
    return "; also ".join(part for part in (text, also) if part)


def _short(message: MessageType, field: FieldType) -> str:
    mark = {"repeated": "*", "required": "!"}.get(field.label, "")
    default = _default(message, field)
    return f"{field.name}{mark}" + (f"={default}" if default else "")


def _field_line(message: MessageType, field: FieldType) -> str:
    target = message.resolve(field)
    kind = " | ".join(target.numbers) if isinstance(target, EnumType) else field.kind
    mark = {"repeated": ", repeated", "required": ", required"}.get(field.label, "")
    default = _default(message, field)
    return f"{field.name}: {kind}{mark}" + (f", default {default}" if default else "")


def _default(message: MessageType, field: FieldType) -> str:
    if field.repeated or field.label == "required":
        return ""
    if field.default is None:
        target = message.resolve(field)
        return target.first() if isinstance(target, EnumType) else ""
    if isinstance(field.default, bool):
        return str(field.default).lower()
    return f"{field.default:g}" if isinstance(field.default, float) else str(field.default)
