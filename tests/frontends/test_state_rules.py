"""Include and exclude rules. Caffe: src/caffe/test/test_net.cpp, FilterNetTest."""

from __future__ import annotations

import pytest

from frontends.prototxt import parse_text
from frontends.state_rules import NetState, layers_in_state, rule_holds
from ir.errors import RoasteryError


def kept(rules, state):
    net = parse_text("".join(f'layer {{ name: "{i}" {r} }}\n' for i, r in enumerate(rules)),
                     "NetParameter")  # fmt: skip
    return "".join(layer.name for layer in layers_in_state(net, state))


RULES = [
    "",
    "include { phase: TRAIN }",
    "include { phase: TEST }",
    "exclude { phase: TEST }",
    "include { min_level: 2 }",
    "include { max_level: 1 }",
    'include { stage: "a" }',
    'include { stage: "a" stage: "b" }',
    'include { stage: "a" } include { stage: "b" }',
    'include { not_stage: "a" }',
    'exclude { stage: "b" } exclude { phase: TRAIN min_level: 1 }',
    "include { }",
    "exclude { }",
]


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (NetState("TRAIN"), ["0", "1", "3", "5", "9", "10", "11"]),
        (NetState("TEST"), ["0", "2", "5", "9", "10", "11"]),
        (NetState("TRAIN", 2), ["0", "1", "3", "4", "9", "11"]),
        (NetState("TEST", 0, ("a",)), ["0", "2", "5", "6", "8", "10", "11"]),
        (NetState("TEST", 0, ("a", "b")), ["0", "2", "5", "6", "7", "8", "11"]),
        (NetState("TEST", 1, ("b",)), ["0", "2", "5", "8", "9", "11"]),
    ],
)
def test_rules(state, expected):
    assert kept(RULES, state) == "".join(expected)


def test_both_kinds_are_refused():
    with pytest.raises(RoasteryError, match="both include and exclude") as caught:
        kept(["include { phase: TRAIN }\nexclude { phase: TEST }"], NetState())
    assert caught.value.location.line == 2
    assert caught.value.location.layer == "0"


def test_an_unset_phase_holds_in_both():
    rule = parse_text("min_level: 0", "NetStateRule")
    assert rule_holds(rule, NetState("TRAIN"))
    assert rule_holds(rule, NetState("TEST"))
