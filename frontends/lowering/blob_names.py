"""Layers and blobs by name, before anything is lowered: all mistakes of a net in one report.

Caffe: src/caffe/net.cpp (AppendTop, AppendBottom) and src/caffe/util/insert_splits.cpp.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from frontends.prototxt.message import Message
from frontends.prototxt.suggestions import did_you_mean
from ir.errors import ErrorGroup, RoasteryError
from ir.location import Location
from ir.program import LOSS_OUTPUT, NET_STATE

from .known_layers import find_layer
from .layer_type import LayerType

_RESERVED = (LOSS_OUTPUT, *NET_STATE)


@dataclass
class _Blob:
    """The newest version of a blob: who made it, and who has read it since."""

    maker: Message
    readers: list[Message] = field(default_factory=list)
    is_loss: bool = False


def check_names(messages: Sequence[Message], phase: str) -> None:
    """Layer types, bottoms and tops of a net filtered for ``phase``.

    Raises:
        RoasteryError: a type nobody registered, a bottom that no layer above makes, a top that
            two layers make or that overwrites what another layer reads. An ErrorGroup if there
            are several.
    """
    errors: list[RoasteryError] = []
    known: dict[str, _Blob] = {}
    all_tops = {top for m in messages for top in m.top}
    for m in messages:
        kind: LayerType | None = None
        try:
            kind = find_layer(m.type, place_of(m, "type"))
        except RoasteryError as error:
            errors.append(error)
        for i, bottom in enumerate(m.bottom):
            if bottom in known:
                known[bottom].readers.append(m)
            else:
                later = bottom in all_tops
                errors.append(_unknown_bottom(m, i, bottom, known, later, phase))
        errors += _check_tops(kind, m, known)
    if errors:
        raise ErrorGroup(errors) if len(errors) > 1 else errors[0]


def place_of(m: Message, name: str, index: int = 0) -> Location:
    """Where a field of a layer stands, with the layer's name."""
    return replace(m.location_of(name, index), layer=m.name)


def _check_tops(kind: LayerType | None, m: Message, known: dict[str, _Blob]) -> list[RoasteryError]:
    errors = []
    bottoms = m.bottom
    weights = m.loss_weight
    for i, top in enumerate(m.top):
        present = known.get(top)
        if i < len(bottoms) and bottoms[i] == top:
            error = _check_in_place(kind, m, i, present)
        elif present is not None:
            error = _second_maker(m, i, present.maker)
        elif top in _RESERVED:
            error = RoasteryError(
                f"'{top}' is a name of Roastery's own", location=place_of(m, "top", i)
            )
        else:
            error = None
        if error is not None:
            errors.append(error)
        known[top] = _Blob(m, is_loss=i < len(weights) and weights[i] != 0)
    return errors


def _check_in_place(
    kind: LayerType | None, m: Message, index: int, blob: _Blob | None
) -> RoasteryError | None:
    """A layer that writes its top over its bottom must be the only one that reads the bottom."""
    top = m.top[index]
    if kind is not None and not kind.in_place:
        return RoasteryError(
            f"{kind.title} cannot write its top over its bottom '{top}'",
            location=place_of(m, "top", index),
            hint="give the top a name of its own",
        )
    if blob is None:
        return None
    other = next((reader for reader in blob.readers if reader is not m), None)
    if other is not None:
        why = f"layer '{other.name}' (line {other.location.line}) reads it too"
    elif len(blob.readers) > 1:
        why = "the layer has it as another bottom too"
    elif blob.is_loss:
        why = f"it is a loss of layer '{blob.maker.name}'"
    else:
        return None
    return RoasteryError(
        f"layer '{m.name}' cannot write its top over its bottom '{top}': {why}",
        location=place_of(m, "top", index),
        hint="give the top a name of its own",
    )


def _second_maker(m: Message, index: int, maker: Message) -> RoasteryError:
    top = m.top[index]
    if maker is m:
        message = f"the layer names its top '{top}' twice"
    else:
        message = (
            f"top blob '{top}' is produced by two layers, '{maker.name}' "
            f"(line {maker.location.line}) and '{m.name}'"
        )
    return RoasteryError(
        message,
        location=place_of(m, "top", index),
        hint="rename one; only a layer that reads a blob may write it again (in place)",
    )


def _unknown_bottom(
    m: Message, i: int, bottom: str, known: dict[str, _Blob], later: bool, phase: str
) -> RoasteryError:
    if later:
        hint = "a later layer makes it: layers run in file order, so move that layer up"
    else:
        near = did_you_mean(bottom, known)
        hint = f"did you mean '{near}'?" if near else f"no layer makes it in phase {phase}"
    return RoasteryError(
        f"unknown bottom blob '{bottom}' (bottom {i} of layer '{m.name}')",
        location=place_of(m, "bottom", i),
        hint=hint,
    )
