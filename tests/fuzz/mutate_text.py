"""Changes that keep a text a text: words, numbers and lines."""

from __future__ import annotations

import re
from collections.abc import Callable
from random import Random

TextMutator = Callable[[str, Random], str]

_NUMBER = re.compile(r"-?\d[\d.]*(?:[eE][-+]?\d+)?")
_WORD = re.compile(r"[^\W\d]\w*")
_MOST_REPEATED = 1 << 24
"""Characters: a long line is not repeated until the memory is full."""

_NUMBERS = (
    "0", "-1", "1", "2", "-0", "0.5", "1e400", "-1e400", "1e-400", "nan", "-nan", "inf", "-inf",
    "2147483647", "2147483648", "4294967295", "4294967296", "9223372036854775808", "1e9", "1e",
    "99999999999", "9" * 400, "9" * 5000, "0x7fffffff", "00", "1_0", "1.", ".5", "+1", "\u0663",
    "1.5", "1000000000", "65536",
)  # fmt: skip
_STRANGE = (
    "\0", "\x1b[31m", "\r", "\n", "\t", " ", "\udcff", "\ufeff", "\u2028", "'", '"', "\\", "{", "}",
    "[", "]", "(", ")", "<", ">", ":", ",", ";", "#", "$", "%", "=", "/", "../", "/dev/zero", "é",
    "/proc/self/mem", "~", "*", "-", "--", "\U0001f600", "\\x", "x" * 10000,
)  # fmt: skip


def numbers(text: str, rng: Random) -> str:
    """Another number in the place of one."""
    return _replace(_NUMBER, rng.choice(_NUMBERS), text, rng)


def words(text: str, rng: Random) -> str:
    """A word of the text in the place of another, or a strange one."""
    found = _WORD.findall(text[:100_000])
    new = rng.choice(found) if found and rng.random() < 0.7 else rng.choice(_STRANGE)
    return _replace(_WORD, new, text, rng)


def strange(text: str, rng: Random) -> str:
    """A strange character or word anywhere."""
    at = rng.randrange(len(text) + 1)
    return text[:at] + rng.choice(_STRANGE) + text[at:]


def lines(text: str, rng: Random) -> str:
    """A line is missing, doubled, or elsewhere."""
    parts = text.split("\n")
    at, other = rng.randrange(len(parts)), rng.randrange(len(parts))
    what = rng.randrange(4)
    if what == 0:
        del parts[at]
    elif what == 1:
        parts.insert(other, parts[at])
    elif what == 2:
        parts[at], parts[other] = parts[other], parts[at]
    else:
        times = min(rng.choice((10, 1000)), 2 + _MOST_REPEATED // (len(parts[at]) + 1))
        parts[at : at + 1] = [parts[at]] * times
    return "\n".join(parts)


def repeat(text: str, rng: Random) -> str:
    """A short piece over and over: what a quadratic reader never ends with."""
    at = rng.randrange(len(text) + 1)
    piece = text[at : at + rng.choice((1, 3, 10, 30))]
    return text[:at] + piece * rng.choice((10, 1000, 30_000)) + text[at:]


def nest(text: str, rng: Random) -> str:
    """Deep nesting."""
    at = rng.randrange(len(text) + 1)
    opening, closing = rng.choice(
        (("a {", "}"), ("(", ")"), ("[", "]"), ('{"a":', "}"), ("<", ">"))
    )
    depth = rng.choice((2, 50, 3000))
    return text[:at] + opening * depth + text[at : at + 10] + closing * depth + text[at + 10 :]


def shorten(text: str, rng: Random) -> str:
    """The end is missing."""
    return text[: rng.randrange(len(text) + 1)]


def ends(text: str, rng: Random) -> str:
    """Line ends of another system, or none."""
    return text.replace("\n", rng.choice(("\r\n", "\r", "", " ", "\n\n")))


MUTATORS: tuple[TextMutator, ...] = (
    numbers, numbers, numbers, words, words, strange, lines, lines, repeat, nest, shorten, ends,
)  # fmt: skip


def _replace(pattern: re.Pattern[str], new: str, text: str, rng: Random) -> str:
    begin = rng.randrange(len(text) + 1) if rng.random() < 0.9 else 0
    found = pattern.search(text, begin) or pattern.search(text)
    if found is None:
        return text + new
    return text[: found.start()] + new + text[found.end() :]
