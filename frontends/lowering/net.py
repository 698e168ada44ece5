"""Lower a whole net: layers in file order, blobs by name, who needs a gradient.

Caffe: src/caffe/net.cpp (Init, AppendTop, AppendBottom, AppendParam) and
src/caffe/util/insert_splits.cpp.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from frontends.prototxt.message import Message
from ir import expr as e
from ir.build import Builder
from ir.errors import RoasteryError
from ir.graph import Value
from ir.ops.ranks import Averages
from ir.program import AUTOMATIC, LOSS_OUTPUT, LayerInfo, NetProgram

from .blob_names import check_names, place_of
from .context import AskedShapes, LayerContext
from .foreign import refuse_foreign
from .gradient_flow import mark_backward
from .input_sizes import InputSizes, with_symbols
from .known_layers import lowered_type_of
from .layer import lower_layer, shown_place
from .layer_type import LayerType
from .part import KnownLayer, LayerLowering
from .probe import Probe
from .splits import with_splits, written_layers
from .variables import VariableTable

Shape = tuple[int, ...]


@dataclass
class _Lowering:
    """State of one lowering: what has been made so far."""

    builder: Builder
    sizes: InputSizes
    phase: str
    probe: Probe | None
    shapes: Mapping[str, Shape]
    force_backward: bool
    variables: VariableTable
    ranks: Averages | None
    current: dict[str, Value] = field(default_factory=dict)
    versions: dict[str, list[Value]] = field(default_factory=dict)
    unused: dict[str, None] = field(default_factory=dict)
    flows: set[Value] = field(default_factory=set)  # values through which a gradient can flow
    layers: list[LayerInfo] = field(default_factory=list)
    names: frozenset[str] = frozenset()  # of all layers
    keys: set[str] = field(default_factory=set)  # of the layers so far
    learning: dict[str, LayerInfo] = field(default_factory=dict)  # the first with blobs, by name
    known: list[KnownLayer] = field(default_factory=list)
    inputs: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    splits: dict[str, str] = field(default_factory=dict)  # tops of Split layers -> their bottoms


def lower_layers(
    net: Message,
    phase: str = "TEST",
    *,
    shapes: Mapping[str, Sequence[int]] | None = None,
    probe: Probe | None = None,
    most_rows: bool = False,
    ranks: Averages | None = None,
) -> LayerLowering:
    """Lower an upgraded NetParameter for one phase; its layers can then be lowered one by one.

    Args:
        net: all its layers are lowered: see :func:`frontends.state_rules.filtered`.
        shapes: shapes of net inputs that replace those of the prototxt (a reshaped net).
        probe: answers questions about data and host layers.
        most_rows: numbers of rows that only a run tells are the largest that there could be.
        ranks: with whom statistics of a batch are shared, in phase TRAIN: all of them run the net
            then whenever one does. Ranks take turns in tests.

    Raises:
        RoasteryError: the net is not one Caffe accepts; an ErrorGroup if several unknown layer
            types or blob names are found before any layer is lowered.
    """
    check_names(net.layer, phase)
    split, asked = with_splits(net), shapes or {}
    own, together = written_layers(net, split), ranks if phase == "TRAIN" else None
    return with_symbols(
        lambda sizes: _lowered(split, own, phase, asked, probe, together, sizes), most_rows
    )


def _lowered(
    net: Message,
    own: Sequence[bool],
    phase: str,
    shapes: Mapping[str, Sequence[int]],
    probe: Probe | None,
    ranks: Averages | None,
    sizes: InputSizes,
) -> LayerLowering:
    messages = net.layer
    work = _Lowering(
        Builder(net.name or "net"),
        sizes,
        phase,
        probe,
        {k: tuple(v) for k, v in shapes.items()},
        net.force_backward,
        VariableTable(frozenset(top for m in messages for top in m.top), net.force_backward),
        ranks,
        names=frozenset(m.name for m in messages),
    )
    for message, written in zip(messages, own, strict=True):
        _lower_layer(work, message, written)
    return LayerLowering(net, _finish(work, net), work.known, probe, ranks)


def _lower_layer(work: _Lowering, m: Message, written: bool) -> None:
    kind, remark = lowered_type_of(m, work.probe)  # there is one: the names are checked
    if remark:
        work.notes.append(f"{shown_place(m)}: {remark}")
    b = work.builder
    bottoms = tuple(m.bottom)
    tops = tuple(m.top) or _automatic_tops(work, kind)
    _check_counts(kind, m, len(bottoms), len(tops))
    if not kind.source:
        refuse_foreign(kind, m)
    values = tuple(work.current[name] for name in bottoms)
    allowed = _gradient_allowed(work, kind, m, values)
    stopped = tuple(v in work.flows and not ok for v, ok in zip(values, allowed, strict=True))
    first, streams = len(b.nodes), work.variables.streams
    shapes = AskedShapes(work.shapes)
    phase = m.phase if m.has("phase") else work.phase
    key = _own_name(m.name, work.keys, work.names)
    ctx = LayerContext(
        b,
        kind,
        m,
        values,
        tops,
        phase,
        work.variables,
        work.probe,
        shapes,
        key,
        work.sizes,
        ranks=work.ranks,
    )
    try:
        named = lower_layer(ctx, stopped)
    except RoasteryError as error:
        _in_the_nets_words(error, {top: work.splits[top] for top in bottoms if top in work.splits})
        raise
    if kind.is_split:
        work.splits.update(dict.fromkeys(tops, bottoms[0]))
    _meet_twin(work, ctx)
    work.notes += ctx.notes
    work.known.append(KnownLayer(m, kind, phase, stopped, ctx.hidden, streams))
    layer = LayerInfo(
        name=m.name,
        type=kind.name,
        location=shown_place(m),
        bottoms=bottoms,
        tops=tops,
        bottom_values=values,
        top_values=named,
        variables=tuple(ctx.owned),
        loss_weights=_loss_weights(kind, m, len(tops)),
        first=first,
        last=len(b.nodes),
        backward_bottoms=tuple(allowed),
        source=ctx.source,
        key=key,
        sizes=shapes.asked,
        shares_data=ctx.shares_data,
        is_split=kind.is_split,
        is_written=written,
        inner_softmax=kind.inner_softmax,
        labels=ctx.labels,
    )
    if kind.fed:
        work.inputs.extend(tops)
    _add(work, layer, outputs=tuple(m.top))  # the automatic top of a loss layer is none


def _in_the_nets_words(error: RoasteryError, splits: Mapping[str, str]) -> None:
    """Let an error name blobs as the net does, not the tops of Splits that nobody wrote."""
    for top in sorted(splits, key=len, reverse=True):  # a name may begin with another
        blob = splits[top]
        error.message = error.message.replace(top, blob)
        error.hint = error.hint.replace(top, blob) if error.hint else error.hint
    error.args = (error.message,)


def _own_name(name: str, taken: Collection[str], others: Collection[str]) -> str:
    """``name``, or ``name@2`` where it is taken: a name that nothing else has or will have."""
    found, count = name, 1
    while found in taken or (found != name and found in others):
        count += 1
        found = f"{name}@{count}"
    return found


def _meet_twin(work: _Lowering, ctx: LayerContext) -> None:
    """Say what it means that an earlier layer with blobs has the same name."""
    twin = work.learning.get(ctx.name)
    if twin is not None and ctx.owned:
        work.notes.append(
            f"{place_of(ctx.layer, 'name')}: {_called(twin)} has the same name. Their weights are "
            "told apart by their order; Caffe copies into the first layer of a name only"
        )


def _called(layer: LayerInfo) -> str:
    """A layer that its name does not tell from others."""
    line = layer.location.line
    return f"the layer in line {line}" if line else "an earlier layer"


def _add(work: _Lowering, layer: LayerInfo, outputs: tuple[str, ...]) -> None:
    """Take a lowered layer into the net; ``outputs``: tops that are outputs until someone reads."""
    variables = work.variables.variables
    if any(v in work.flows for v in layer.bottom_values) or any(
        variables[name].learns for name in layer.variables
    ):
        work.flows.update(layer.top_values)
    for name in layer.bottoms:
        work.unused.pop(name, None)
    work.unused.update(dict.fromkeys(outputs))
    for name, value in zip(layer.tops, layer.top_values, strict=True):
        work.current[name] = value
        work.versions.setdefault(name, []).append(value)
    work.layers.append(layer)
    work.keys.add(layer.key)
    if layer.variables:
        work.learning.setdefault(layer.name, layer)


def _automatic_tops(work: _Lowering, kind: LayerType) -> tuple[str, ...]:
    """The top of a loss layer that names none. Caffe: LossLayer's AutoTopBlobs, AppendTop.

    Caffe calls all of them the same. Here each has a name of its own, shown as Caffe's.
    """
    if not kind.loss:
        return ()
    return (_own_name(AUTOMATIC, work.versions.keys() | work.variables.blobs, ()),)


def _check_counts(kind: LayerType, m: Message, bottoms: int, tops: int) -> None:
    for what, count, (low, high) in (
        ("bottom", bottoms, kind.bottom_range),
        ("top", tops, kind.top_range),
    ):
        if count < low or (high is not None and count > high):
            need = (
                str(low)
                if low == high
                else f"{low} or more"
                if high is None
                else f"{low} to {high}"
            )
            raise RoasteryError(
                f"{kind.title} takes {need} {what} blob(s), {count} given",
                location=place_of(m, what, high if high is not None and count > high else 0),
                hint=f'add {what}: "..."' if count < low else f"remove {count - (high or 0)}",
            )
    if kind.same_count and bottoms != tops:
        raise RoasteryError(
            f"{kind.title} makes one top per bottom: {bottoms} bottom(s), {tops} top(s)",
            location=place_of(m, "top", bottoms if tops > bottoms else 0),
            hint="name as many tops as bottoms",
        )


def _gradient_allowed(
    work: _Lowering, kind: LayerType, m: Message, values: Sequence[Value]
) -> list[bool]:
    """Per bottom: may a diff flow to it (propagate_down, force_backward, labels)?"""
    down = list(m.propagate_down)
    if down and len(down) != len(values):
        raise RoasteryError(
            f"{len(down)} propagate_down values for {len(values)} bottom(s)",
            location=place_of(m, "propagate_down"),
            hint="give none, or one per bottom",
        )
    allowed = []
    for i, value in enumerate(values):
        label = i in kind.no_gradient_to or (-1 in kind.no_gradient_to and i == len(values) - 1)
        wish = down[i] if down else value in work.flows
        allowed.append((wish or work.force_backward) and not label)
    return allowed


def _loss_weights(kind: LayerType, m: Message, tops: int) -> tuple[float, ...]:
    given = list(m.loss_weight)
    if not given:
        # One weight for the loss; further tops (SoftmaxWithLoss' probabilities) carry none.
        return ((kind.own_loss_weight(m),) + (0.0,) * (tops - 1)) if tops else ()
    if len(given) != tops and not (kind.loss and len(given) == 1):
        raise RoasteryError(
            f"{len(given)} loss_weight values for {tops} top(s)",
            location=place_of(m, "loss_weight"),
            hint="give none, or one per top",
        )
    return tuple(given) + (0.0,) * (tops - len(given))


def _finish(work: _Lowering, net: Message) -> NetProgram:
    b = work.builder
    outputs = tuple(sorted(work.unused))
    losses = [
        (v, w)
        for layer in work.layers
        for v, w in zip(layer.top_values, layer.loss_weights, strict=True)
        if w != 0.0
    ]
    with b.at(hint="loss"):
        total: Value | None = None
        for value, weight in losses:
            summed = b.reshape(b.sum(value, range(value.type.rank)), ())
            part = b.map(e.arg(0) * weight, summed)
            total = part if total is None else b.add(total, part)
    for name in outputs:
        b.output(name, work.current[name])
    if total is not None:
        b.output(LOSS_OUTPUT, total)
    work.variables.finish(b)
    graph = b.finish()
    layers = mark_backward(work.layers, work.variables.variables, work.force_backward)
    general = NetProgram(
        name=net.name,
        phase=work.phase,
        graph=graph,
        layers=layers,
        variables=work.variables.variables,
        blobs={k: tuple(v) for k, v in work.versions.items()},
        inputs=tuple(work.inputs),
        outputs=outputs,
        force_backward=work.force_backward,
        notes=tuple(work.notes),
    )
    return work.sizes.resolved(general, work.shapes)
