"""The layer of a net that compares scores of classes with labels, and a net that shows both."""

from __future__ import annotations

from dataclasses import dataclass

from frontends.prototxt import Message
from frontends.state_rules import filtered
from ir.errors import RoasteryError
from ir.program import LayerInfo, NetProgram

#: Of so many classes at most there is a matrix: half a gigabyte.
_MOST = 8192


@dataclass(frozen=True)
class ScoredClasses:
    """A layer of a net that holds scores of classes against labels.

    Attributes:
        layer: its name. classes: how many. axis: of the scores, which has them.
        ignored: the label that counts for nothing.
        scores, labels: outputs that have them, in a net of :func:`with_outputs`.
    """

    layer: str
    classes: int
    axis: int
    ignored: int | None
    scores: str
    labels: str

    @property
    def outputs(self) -> tuple[str, str]:
        """The two that the net has beside its own."""
        return self.scores, self.labels


def scored_layer(program: NetProgram, name: str = "") -> LayerInfo:
    """The layer whose bottoms tell what the net takes for what: the one of this name, or the last
    that only judges (Accuracy), else the last loss.

    Raises RoasteryError where there is none.
    """
    found = [x for x in program.layers if x.labels is not None and x.labels.scores is not None]
    if name:
        named = [layer for layer in found if layer.name == name]
        if named:
            return named[-1]
        told = ", ".join(f"'{layer.name}'" for layer in found) or "none of its layers does"
        raise RoasteryError(
            f"no layer '{name}' of the net compares scores of classes with labels",
            hint=f"these do: {told}" if found else "an Accuracy layer would",
        )
    if not found:
        raise RoasteryError(
            "no layer of the net compares scores of classes with labels, so there is no confusion "
            "matrix",
            location=program.layers[-1].location if program.layers else None,
            hint='a layer of type "Accuracy" or "SoftmaxWithLoss" in phase TEST would: bottom: '
            'the scores, bottom: "label"',
        )
    judges = [layer for layer in found if not any(layer.loss_weights)]
    return (judges or found)[-1]


def with_outputs(net: Message, state: Message, layer: LayerInfo) -> tuple[Message, ScoredClasses]:
    """The net in this state, with two more outputs: what the layer reads as scores and labels.

    Raises RoasteryError for too many classes.
    """
    labels = layer.labels
    assert labels is not None and labels.scores is not None
    if labels.classes > _MOST:
        raise RoasteryError(
            f"layer '{layer.name}' tells {labels.classes} classes; a confusion matrix has at most "
            f"{_MOST}",
            location=layer.location,
            hint="without --confusion its accuracy is told alone",
        )
    chosen = filtered(net, state)
    taken = {top for each in chosen.layer for top in each.top}
    layers: list[Message] = []
    names: list[str] = []
    for each in chosen.layer:
        if each.location == layer.location and each.name == layer.name and not names:
            for what, bottom in (("scores", 0), ("labels", labels.bottom)):
                name = f"confusion/{what}"
                while name in taken:
                    name += "_"
                layers.append(_copy(each.bottom[bottom], name, each))
                names.append(name)
        layers.append(each)
    scored = ScoredClasses(
        layer.name, int(labels.classes), labels.scores, labels.ignored, names[0], names[1]
    )
    return net.replaced("layer", layers), scored


def _copy(bottom: str, top: str, like: Message) -> Message:
    made = Message("LayerParameter", like.location)
    made.set("name", top)
    made.set("type", "Split")
    made.add("bottom", bottom)
    made.add("top", top)
    return made
