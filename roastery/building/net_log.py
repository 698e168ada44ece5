"""The log lines with which Caffe builds a net, from the lowered net. Caffe: src/caffe/net.cpp."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from frontends.prototxt import Message, to_text
from frontends.state_rules import NetState, rule_holds
from ir.program import LayerInfo, NetProgram, shown_blob
from runtime.data.notes import DataNote, Notes
from runtime.logging import CaffeLog

_PHASES = ("TRAIN", "TEST", "RUN")  # the last is MyCaffe's, and no number of Caffe's


def log_rules(log: CaffeLog, net: Message, state: Message) -> None:
    """One line per rule that does not hold. Caffe: StateMeetsRule."""
    current = NetState.of(state)
    for layer in net.layer:
        for rule in layer.include or layer.exclude:
            if rule_holds(rule, current):
                if layer.include:
                    break  # Caffe asks no further rule
            else:
                _log_failed_rule(log, rule, current, layer.name)


def _log_failed_rule(log: CaffeLog, rule: Message, state: NetState, layer: str) -> None:
    """The first condition that fails, in Caffe's order."""
    if rule.has("phase") and rule.phase != state.phase:
        log.rule_phase_differs(_PHASES.index(state.phase), _PHASES.index(rule.phase), layer)
    elif rule.has("min_level") and state.level < rule.min_level:
        log.rule_level_differs(state.level, rule.min_level, layer, below=True)
    elif rule.has("max_level") and state.level > rule.max_level:
        log.rule_level_differs(state.level, rule.max_level, layer, below=False)
    else:
        for stage in rule.stage:
            if stage not in state.stages:
                log.rule_stage_differs(stage, layer, negated=False)
                return
        for stage in rule.not_stage:
            if stage in state.stages:
                log.rule_stage_differs(stage, layer, negated=True)
                return


def log_net_text(log: CaffeLog, net: Message) -> None:
    """The filtered net."""
    log.initializing_net(to_text(net))


def log_layers(
    log: CaffeLog, program: NetProgram, said: Mapping[str, Sequence[DataNote]], notes: Notes
) -> None:
    """Every layer with its tops; then who takes part in backward, and the outputs.

    Args:
        said: what the data sources said when they were opened, by the layers' keys; it goes to
            ``notes`` where Caffe says it.
    """
    memory = 0
    for layer in program.layers:
        _log_creation(log, layer, said.get(layer.key, ()), notes)
        log.setting_up(layer.name)
        for value, weight in zip(layer.top_values, layer.loss_weights, strict=True):
            log.top_shape(value.shape)
            if weight:
                log.loss_weight(weight)
            memory += math.prod(value.shape)
        log.memory_required(4 * memory)
        for variable_name in layer.variables:
            variable = program.variables[variable_name]
            if not program.owns(layer, variable_name):
                log.sharing_parameters(variable.param_name, variable.layer, variable.index)
    for layer in reversed(program.layers):
        log.needs_backward(layer.name, layer.needs_backward)
    for output in program.outputs:
        log.produces_output(shown_blob(output))
    log.initialization_done()


def _log_creation(log: CaffeLog, layer: LayerInfo, said: Sequence[DataNote], notes: Notes) -> None:
    log.creating_layer(layer.name, registry_only=True)
    for note in said:
        if note.kind.from_constructor:
            notes(note)
    log.layer_created(layer.name)
    for bottom in layer.bottoms:
        log.bottom(layer.name, bottom)
    for i, top in enumerate(layer.tops):
        in_place = i < len(layer.bottoms) and layer.bottoms[i] == top
        log.top(layer.name, shown_blob(top), in_place=in_place)
    for note in said:
        if not note.kind.from_constructor:
            notes(note)
    if layer.inner_softmax:
        log.creating_layer(layer.name, registry_only=True)
