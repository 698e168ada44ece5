"""Nets with random slips of the pen: each is lowered or refused, never a crash.

The nets are the records of all layers; a slip is a number out of range, a name or a word in the
wrong place, a word left out or written twice.
"""

from __future__ import annotations

import random
import re

import pytest

from ir.errors import RoasteryError
from roastery.reading import nets
from tests.support.layer_cases import all_cases
from tests.support.lowering import program_of

WORDS = re.compile(r'"[^"]*"|[\w.+-]+|[{}:\[\],]')
NUMBER = re.compile(r"-?[\d.]+(e-?\d+)?|true|false")
NUMBERS = [
    *("0", "-1", "1", "2", "3", "7", "100", "1000000", "4294967295", "-2147483648"),
    *("9223372036854775807", "0.5", "1e30", "nan", "inf", "true"),
]


def slip(words: list[str], rng: random.Random) -> None:
    at = rng.randrange(len(words))
    word, chance = words[at], rng.random()
    if NUMBER.fullmatch(word):
        words[at] = rng.choice(NUMBERS)
    elif word.startswith('"'):
        words[at] = rng.choice([w for w in words if w.startswith('"')])
    elif chance < 0.3:
        del words[at]
    elif chance < 0.6:
        words.insert(at, word)
    else:
        words[at] = rng.choice(words)


@pytest.mark.parametrize("seed", range(8))
def test_slips(seed: int) -> None:
    rng = random.Random(seed)
    cases = all_cases()
    refused = 0
    for _ in range(250):
        case = rng.choice(cases)
        words = WORDS.findall(case.prototxt)
        for _ in range(rng.randint(1, 3)):
            slip(words, rng)
        text = " ".join(words)
        try:
            program_of(nets.net_from_text(text), case.phase)
        except RoasteryError as error:
            refused += 1
            assert str(error), text
        except Exception as error:
            raise AssertionError(f"{type(error).__name__} for: {text}") from error
    assert 80 < refused < 245


def test_a_factor_that_no_float_holds() -> None:
    """Found in this way."""
    text = (
        'layer { name: "in" type: "Input" top: "x" input_param { shape { dim: 2 } } }\n'
        'layer { name: "e" type: "Exp" bottom: "x" top: "y"\n exp_param { shift: 1e30 } }'
    )
    with pytest.raises(RoasteryError, match=r"3:\d+ .*base \*\* shift"):
        program_of(nets.net_from_text(text, "net.prototxt"), "TEST")
