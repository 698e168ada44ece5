"""Insert Split layers where several layers read one blob.

They cost nothing (views), and give every reader a diff of its own, under Caffe's names:
``<blob>_<layer>_<i>_split_<k>``. Caffe: src/caffe/util/insert_splits.cpp.
"""

from __future__ import annotations

from collections.abc import Sequence

from frontends.prototxt.message import Message

from .known_layers import own_loss_weight

Producer = tuple[int, int]  # layer number, top number


def with_splits(net: Message) -> Message:
    """A filtered net with the Split layers that lowering needs between its own."""
    return net.replaced("layer", insert_splits(net.layer))


def written_layers(net: Message, split: Message) -> list[bool]:
    """Of the layers of a net with Split layers between: whether they are the net's own.

    Args:
        net: as it was before :func:`with_splits`, which may have had Split layers, too.
    """
    left = [(m.name, m.type, list(m.top)) for m in reversed(net.layer)]
    found = []
    for m in split.layer:
        own = bool(left) and (m.name, m.type, list(m.top)) == left[-1]
        if own:
            left.pop()
        found.append(own)
    return found


def insert_splits(messages: Sequence[Message]) -> list[Message]:
    """The layers with Split layers between; layers that change are copied."""
    readers: dict[Producer, list[tuple[int, int]]] = {}
    current: dict[str, Producer] = {}
    reads: dict[tuple[int, int], Producer] = {}
    for number, m in enumerate(messages):
        for i, bottom in enumerate(m.bottom):
            producer = current.get(bottom)
            if producer is None:
                continue  # an unknown bottom: reported where names are checked
            readers.setdefault(producer, []).append((number, i))
            reads[number, i] = producer
        for i, top in enumerate(m.top):
            current[top] = (number, i)
    result: list[Message] = []
    for number, original in enumerate(messages):
        m = original
        bottoms = list(m.bottom)
        for i in range(len(bottoms)):
            producer = reads.get((number, i))
            if producer is None or _uses(messages, readers, producer) < 2:
                continue
            k = readers[producer].index((number, i)) + _own_loss(messages, producer)
            bottoms[i] = _split_top(messages, producer, k)
        if bottoms != list(m.bottom):
            m = m.copy()
            places = [original.location_of("bottom", i) for i in range(len(bottoms))]
            m.clear("bottom")
            for name, place in zip(bottoms, places, strict=True):
                m.add("bottom", name, place)
        result.append(m)
        for i in range(len(original.top)):
            uses = _uses(messages, readers, (number, i))
            if uses > 1:
                result.append(_split(messages, (number, i), uses, original))
                if _own_loss(messages, (number, i)):
                    result[-2] = _without_loss(result[-2], i)
    return result


def _loss_weight(m: Message, top: int) -> float:
    given = m.loss_weight
    if top < len(given):
        return float(given[top])
    # Only loss layers have a weight without naming one, and only for their first top. Caffe does
    # not count it as a use: a layer that reads such a blob then overwrites the loss's diff.
    return own_loss_weight(m) if top == 0 and not given else 0.0


def _own_loss(messages: Sequence[Message], producer: Producer) -> int:
    """1 if the top itself counts as a reader because it carries a loss weight."""
    number, top = producer
    return 1 if _loss_weight(messages[number], top) else 0


def _uses(
    messages: Sequence[Message],
    readers: dict[Producer, list[tuple[int, int]]],
    producer: Producer,
) -> int:
    return len(readers.get(producer, ())) + _own_loss(messages, producer)


def _layer_name(messages: Sequence[Message], producer: Producer) -> str:
    number, top = producer
    m = messages[number]
    return f"{m.top[top]}_{m.name}_{top}_split"


def _split_top(messages: Sequence[Message], producer: Producer, k: int) -> str:
    return f"{_layer_name(messages, producer)}_{k}"


def _split(messages: Sequence[Message], producer: Producer, uses: int, m: Message) -> Message:
    _, top = producer
    place = m.location_of("top", top)
    split = Message("LayerParameter", place)
    split.set("name", _layer_name(messages, producer), place)
    split.set("type", "Split", place)
    split.add("bottom", m.top[top], place)
    for k in range(uses):
        split.add("top", _split_top(messages, producer, k), place)
    weight = _loss_weight(m, top)
    if weight:
        for k in range(uses):
            split.add("loss_weight", weight if k == 0 else 0.0, place)
    return split


def _without_loss(m: Message, top: int) -> Message:
    """The loss weight has moved to the split; the layer's own becomes 0."""
    changed = m.copy()
    weights = [_loss_weight(m, i) for i in range(len(m.top))]
    weights[top] = 0.0
    changed.set("loss_weight", weights)
    return changed
