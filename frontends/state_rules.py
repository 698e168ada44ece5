"""Which layers a NetState selects. Caffe: src/caffe/net.cpp, FilterNet and StateMeetsRule."""

from __future__ import annotations

from dataclasses import dataclass, replace

from frontends.prototxt.message import Message
from ir.errors import RoasteryError


@dataclass(frozen=True)
class NetState:
    """Phase ("TRAIN" or "TEST"), level and stages a net is built for."""

    phase: str = "TEST"
    level: int = 0
    stages: tuple[str, ...] = ()

    @classmethod
    def of(cls, message: Message) -> NetState:
        """What a NetState message says."""
        return cls(message.phase, message.level, tuple(message.stage))


def filtered(net: Message, state: Message) -> Message:
    """A net with the layers that a NetState message admits, and the state in it.

    The layers are those of ``net``, not copies.

    Raises RoasteryError for a net without layers, for one of which none is left, and for a layer
    with both kinds of rules.
    """
    if not net.layer:
        raise RoasteryError(
            "the net has no layers", location=net.location, hint="is this the right file?"
        )
    kept = layers_in_state(net, NetState.of(state))
    if not kept:
        raise RoasteryError(
            f"no layer of the net is for phase {state.phase}",
            location=net.location,
            hint="look at the include and exclude rules of its layers, and at the stages asked for",
        )
    result = net.replaced("layer", kept)
    result.set("state", state)
    return result


def layers_in_state(net: Message, state: NetState) -> list[Message]:
    """The layers whose include and exclude rules admit the state, in file order.

    Raises:
        RoasteryError: a layer has both include and exclude rules.
    """
    kept = []
    for layer in net.layer:
        if layer.include and layer.exclude:
            raise RoasteryError(
                "the layer has both include and exclude rules",
                location=replace(layer.location_of("exclude"), layer=layer.name),
                hint="keep one kind: any include rule that holds, or any exclude rule, decides",
            )
        if layer.include:
            keep = any(rule_holds(rule, state) for rule in layer.include)
        else:
            keep = not any(rule_holds(rule, state) for rule in layer.exclude)
        if keep:
            kept.append(layer)
    return kept


def rule_holds(rule: Message, state: NetState) -> bool:
    """Whether one NetStateRule admits the state: all its conditions hold."""
    if rule.has("phase") and rule.phase != state.phase:
        return False
    if rule.has("min_level") and state.level < rule.min_level:
        return False
    if rule.has("max_level") and state.level > rule.max_level:
        return False
    stages = set(state.stages)
    return stages.issuperset(rule.stage) and stages.isdisjoint(rule.not_stage)
