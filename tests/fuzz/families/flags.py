"""Command lines: flags, their values and words, for commands that end soon."""

from __future__ import annotations

import contextlib
import io
import json
from pathlib import Path
from random import Random

from roastery.cli.main import main
from roastery.cli.registry import all_commands

from ..inputs import Sample, one_file
from ..targets import Target, register

_VALUES = (
    "", "0", "-1", "1", "2", "nan", "inf", "1e400", "9" * 5000, "2147483648", "x", "\0", "\udcff",
    "/dev/null/x", ".", "/", "net.prototxt", "gone", "a=b", "data=1", "data=1,2,3,4", "data=-1",
    "data=9999999999,9", ",", ",,", "1,2", "1,,2", "256,x", "true", "false", "TRAIN", "cpu", "=",
    "cuda:99", "reference", "cuda:sm_80", "--", "-", "\u0663", "a b", "$x", "1.5", "None",
)  # fmt: skip
_NET = """
layer { name: "data" type: "Input" top: "data"
  input_param { shape { dim: 1 dim: 3 dim: 8 dim: 8 } } }
layer { name: "ip" type: "InnerProduct" bottom: "data" top: "ip"
  inner_product_param { num_output: 2 } }
"""
_LOG = "I0101 00:00:01.000000  1 s.cpp:1] Iteration 1, loss = 2\n"
_ENDLESS = ("train", "python")
"""Commands that may train for long, or run code."""
_COUNTS = ("iterations", "num_iter", "repeat", "oversample", "max_iter")


class Refused(Exception):
    """The command ended with one error."""


def _samples(room: Path) -> list[Sample]:
    return [_line(["layers"]), _line(["parse_log", "run.log", "."])]


def _line(words: list[str]) -> Sample:
    others = {"net.prototxt": _NET.encode(), "run.log": _LOG.encode()}
    return one_file("words.json", json.dumps(words), **others)


def _odd(rng: Random, room: Path) -> Sample:
    command = rng.choice([c for c in all_commands() if c.name not in _ENDLESS])
    words = [command.name]
    words += [
        rng.choice(("net.prototxt", "run.log", rng.choice(_VALUES))) for _ in command.positionals
    ]
    for flag in rng.sample(command.flags, min(len(command.flags), rng.randrange(4))):
        value = rng.choice(_VALUES)
        if flag.name in _COUNTS and value.isdigit() and len(value) > 1:
            value = "1"
        words.append(
            rng.choice((f"--{flag.name}={value}", f"--{flag.name}", f"-{flag.name}={value}"))
        )
    if rng.random() < 0.7 and any(flag.name == "model" for flag in command.flags):
        words.append("--model=net.prototxt")
    rng.shuffle(words)
    return _line(words)


def _call(path: Path) -> object:
    try:
        words = json.loads(path.read_text("utf-8", "surrogateescape"))
    except (ValueError, RecursionError):
        return None  # no words
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        return None
    if any(word in _ENDLESS for word in words):
        return None
    said = io.StringIO()
    with contextlib.redirect_stderr(said):
        code = main(words)
    if "out of memory" in said.getvalue():
        raise MemoryError(words)
    if code == 1:
        raise Refused(said.getvalue())
    assert code == 0, code
    return None


register(Target("command line", _samples, _call, "json", odd=_odd, clean=(Refused,), writes=True))
