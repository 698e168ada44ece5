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

    def merged(self, message: Message) -> NetState:
        """The state with what a NetState message says: phase and level win, stages add up.

        A solver's train_state is merged into the net's own state in this way.
        """
        return NetState(
            message.get("phase", self.phase),
            message.get("level", self.level),
            (*self.stages, *message.stage),
        )


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
