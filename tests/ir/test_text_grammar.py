"""The grammar of docs/ir-text.md and the reader agree, also on what is nearly a graph's text."""

from __future__ import annotations

import random
import re

import lark
import pytest

from ir.text import parse_graph
from tests.ir.test_text import SIZED
from tests.ir.test_text_page import EXAMPLES, PARSER

TEXTS = [*EXAMPLES, SIZED]
TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|\w+|\s+|.', re.DOTALL)
CHARACTERS = ' \t\n\r{}[]()%:=,;.#$-+*/03e_a\\\xa0"'
WORDS = """
    true none inf -inf 1e5 1E5 .5 5. -1 2.5 07 a0 t0 t1 i0 linear f32 i32 [N] $[N/2] $3 f32[2,3] size where input
    output body max // / %x {0,1} {} ; "a" "\\q" # data forward: map exp(a0) == N
""".split()  # noqa: E501, SIM905
LINES = ("# a", "", " \t", "\r", "size K = 3", "where N == 4", "forward:", "}", "graph g {")

#: What the reader says of texts that the grammar cannot refuse.
MEANING = re.compile(
    r"is not defined|is defined twice|is given twice|there are two sizes|unknown (op|primitive)|"
    r"it has: |needs |, not |layout |no size is called|takes \d operands|before it is read|"
    r"negative|the size \w+ is|the step 't\d+' or|is a number: nothing|divides by 0"
)


def changed(text: str, chance: random.Random) -> str:
    """A text with one letter, word or line more, less or elsewhere."""
    kind = chance.randrange(3)
    parts = text.split("\n") if kind == 0 else TOKEN.findall(text) if kind == 1 else list(text)
    at, other = chance.randrange(len(parts)), chance.randrange(len(parts))
    new = chance.choice((LINES, WORDS, CHARACTERS)[kind])
    how = chance.randrange(4)
    if how == 0:
        del parts[at]
    elif how == 1:
        parts[at] = new
    elif how == 2:
        parts.insert(at, new)
    else:
        parts[at], parts[other] = parts[other], parts[at]
    return ("\n" if kind == 0 else "").join(parts)


def says(text: str) -> tuple[str, str]:
    """What the grammar and the reader have against a text."""
    grammar = reader = ""
    try:
        PARSER.parse(text)
    except lark.exceptions.UnexpectedInput as error:
        grammar = str(error)
    try:
        parse_graph(text)
    except ValueError as error:
        reader = str(error)
    return grammar, reader


@pytest.mark.parametrize("seed", range(4))
def test_both_take_the_same_texts(seed: int) -> None:
    chance = random.Random(seed)
    taken = 0
    for _ in range(100):
        text = changed(chance.choice(TEXTS), chance)
        if chance.randrange(2):
            text = changed(text, chance)
        grammar, reader = says(text)
        taken += not reader
        if bool(grammar) != bool(reader):
            assert reader and MEANING.search(reader), f"{text}\ngrammar: {grammar or reader}"
    assert 5 < taken < 95


BODY = """graph g {
  size N = 4
  where N == 4
  input %x: f32[2,3] data
  %y: f32[2,3] = map(%x) {add(a0, 1.0)}
  output %y: f32[2,3] result
}
"""
INPUT, NODE, OUTPUT = BODY.split("\n")[3:6]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("graph", "# a\n\n# b\ngraph"),
        ("result\n}\n", "result\n}"),
        ("result\n}\n", "result\n}\n# end"),
        ("\n", "\r\n"),
        (f"{NODE}\n{OUTPUT}", f"{OUTPUT.replace('y', 'x')}\n{NODE}"),
        (NODE, f"{NODE}\n  input %z: f32[N,N] data"),
        ("f32[2,3]", "f32 [ 2 , 3 ] {1,0}"),
        ("f32[2,3]", "f32\t[N // 2,max(1, 6 - 3)]"),
        ("where N == 4", "forward:"),
    ],
)
def test_both_take(old: str, new: str) -> None:
    assert says(BODY.replace(old, new)) == ("", "")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("f32[2,3]", "f32[2,3]{}"),
        ("f32[2,3]", "f32[2.0,3]"),
        ("f32[2,3]", "f32[N / 2,3]"),
        ("f32[2,3]", "f32[2,\xa03]"),
        ("1.0", ".5"),
        ("1.0", "5."),
        ("1.0", "1E5"),
        ("1.0", "infinity"),
        ("1.0", "$ 5"),
        ("{add(a0, 1.0)}", "{t0 = add(a0, 1.0)}"),
        ("= 4", "= 4.0"),
        ("= 4", "= [4]"),
        ("== 4", "== N"),
        ("where N == 4", "forward:\n  size M = 4"),
        ("%x", '%"a\\q"'),
        ("%x", '%"a\tb"'),
        ("result\n}", "result\n\xa0}"),
        (NODE, f"{NODE} # a b:1.5"),
    ],
)
def test_neither_takes(old: str, new: str) -> None:
    grammar, reader = says(BODY.replace(old, new))
    assert grammar and reader


def test_a_step_is_made_before_it_is_read() -> None:
    text = BODY.replace("{add(a0, 1.0)}", "{t0 = exp(t1); t1 = exp(a0); t0}")
    with pytest.raises(ValueError, match="line 5: 't1' is a step that is not made before"):
        parse_graph(text)
