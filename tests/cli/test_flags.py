"""Flags in every spelling that gflags reads."""

from __future__ import annotations

import re
from typing import Any

import pytest

from roastery.cli.command import Arguments, Command, Flag, Positional, UsageError
from roastery.cli.devices import DEVICE_FLAGS, requested_device
from roastery.cli.parse import parse_arguments


def command(**fields: Any) -> Command:
    defaults: dict[str, Any] = {
        "name": "roast",
        "summary": "Roast something",
        "run": lambda arguments: None,
        "flags": (
            Flag("solver", "a file"),
            Flag("iterations", "how many", kind="int", default=50, minimum=0),
            Flag("rate", "how fast", kind="float", default=0.5),
            Flag("gray", "without colour", kind="bool", default=False),
            Flag("check_size", "all the same", kind="bool", default=True),
            Flag("phase", "which", choices=("TRAIN", "TEST")),
            Flag("input", "data", repeated=True),
        ),
        "positionals": (
            Positional("source", "from where", required=False),
            Positional("targets", "to where", required=False, repeated=True),
        ),
    }
    return Command(**{**defaults, **fields})


def parse(*words: str) -> Arguments:
    return parse_arguments(command(), words)


@pytest.mark.parametrize(
    "words", [["--solver=x"], ["-solver=x"], ["--solver", "x"], ["-solver", "x"]]
)
def test_four_spellings(words: list[str]) -> None:
    arguments = parse(*words)
    assert arguments.solver == "x"
    assert arguments.given == {"solver"}


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("--gray", True),
        ("-gray", True),
        ("--nogray", False),
        ("-nogray", False),
        ("--no-gray", False),
        ("--gray=true", True),
        ("--gray=1", True),
        ("--gray=YES", True),
        ("--gray=false", False),
        ("-gray=0", False),
    ],
)
def test_booleans(word: str, value: bool) -> None:
    assert parse(word).gray is value


def test_a_boolean_takes_no_second_word() -> None:
    arguments = parse("--gray", "true")
    assert (arguments.gray, arguments.source) == (True, "true")


def test_dashes_inside_a_name() -> None:
    assert parse("--check-size=false").check_size is False
    assert parse("--nocheck_size").check_size is False


def test_defaults() -> None:
    arguments = parse()
    assert (arguments.solver, arguments.iterations, arguments.rate) == (None, 50, 0.5)
    assert (arguments.gray, arguments.check_size, arguments.input) == (False, True, [])
    assert (arguments.source, arguments.targets, arguments.given) == (None, [], set())


def test_numbers() -> None:
    arguments = parse("--iterations=0x10", "--rate", "-1e-3")
    assert (arguments.iterations, arguments.rate) == (16, -0.001)


def test_the_last_one_wins_and_repeated_ones_add_up() -> None:
    arguments = parse("--solver=a", "--input=x", "--solver=b", "-input", "y")
    assert (arguments.solver, arguments.input) == ("b", ["x", "y"])


def test_values_keep_their_signs() -> None:
    assert parse("--solver=a=b").solver == "a=b"
    assert parse("--solver=").solver == ""
    assert parse("--solver", "-x").solver == "-x"


def test_arguments_between_flags() -> None:
    arguments = parse("a", "--gray", "b", "-", "-5", "--", "--solver=x")
    assert (arguments.source, arguments.targets) == ("a", ["b", "-", "-5", "--solver=x"])
    assert arguments.solver is None


def test_the_rest_belongs_to_the_script() -> None:
    python = command(
        positionals=(
            Positional("script", "a file"),
            Positional("args", "its own", rest=True, required=False),
        ),
    )
    arguments = parse_arguments(python, ["--gray", "a.py", "--solver=x", "--", "-h"])
    assert (arguments.script, arguments.args) == ("a.py", ["--solver=x", "--", "-h"])
    assert (arguments.gray, arguments.solver) == (True, None)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--sovler=x"], "roast has no flag --sovler; did you mean --solver?"),
        (["-xyz"], "roast has no flag --xyz; see `roastery roast --help`"),
        (["--nosolver"], "roast has no flag --nosolver; did you mean --solver?"),
        (["--solver"], "--solver needs a value: --solver=SOLVER"),
        (["--solver", "--gray"], "--solver needs a value: --solver=SOLVER"),
        (["--iterations=ten"], "--iterations=ten: 'ten' is not a whole number"),
        (["--iterations=1.5"], "--iterations=1.5: '1.5' is not a whole number"),
        (["--iterations=-1"], "--iterations=-1: must be 0 or more"),
        (["--rate=fast"], "--rate=fast: 'fast' is not a number"),
        (["--gray=maybe"], "--gray=maybe: a boolean is true or false"),
        (["--phase=TRIAN"], "--phase=TRIAN: must be one of TRAIN, TEST; did you mean 'TRAIN'?"),
    ],
)
def test_mistakes_in_one_line(words: list[str], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse(*words)
    assert str(caught.value) == message


def test_required_flags_and_arguments() -> None:
    strict = command(
        flags=(Flag("solver", "a file", required=True),),
        positionals=(Positional("source", "from where"),),
    )
    with pytest.raises(UsageError, match="roast needs --solver=SOLVER; see"):
        parse_arguments(strict, ["a"])
    with pytest.raises(UsageError, match=r"roast needs SOURCE \(from where\); see"):
        parse_arguments(strict, ["--solver=x"])
    with pytest.raises(UsageError, match="roast does not take the argument 'b'; see"):
        parse_arguments(strict, ["--solver=x", "a", "b"])
    assert parse_arguments(strict, ["--help"]).help is True


def test_a_name_that_was_not_declared_is_a_defect() -> None:
    with pytest.raises(AttributeError, match="declares no flag or argument 'nets'"):
        _ = parse().nets


@pytest.mark.parametrize(
    ("words", "device"),
    [
        ([], None),
        (["--device=cpu"], "cpu"),
        (["--device", "cuda:1"], "cuda:1"),
        (["-gpu", "0"], "cuda:0"),
        (["-gpu", "all"], "cuda"),
        (["-gpu", ""], None),
        (["-gpu=0", "--device=reference"], "reference"),
    ],
)
def test_devices(words: list[str], device: str | None) -> None:
    assert requested_device(parse_arguments(command(flags=DEVICE_FLAGS), words)) == device


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("--device=cdua", "--device=cdua: must be reference, cpu, .*; did you mean 'cuda'?"),
        ("--device=cuda:x", "--device=cuda:x: must be"),
        ("--device=gpu", "--device=gpu: must be reference, cpu, .*; did you mean 'cuda'?"),
        ("--device=gpu:1", "--device=gpu:1: must be reference, cpu, .*; did you mean 'cuda'?"),
        ("--gpu=0,1", "-gpu 0,1: one GPU at a time"),
        ("--gpu=first", "-gpu first: must be the number of a GPU"),
    ],
)
def test_wrong_devices(word: str, message: str) -> None:
    arguments = parse_arguments(command(flags=DEVICE_FLAGS), [word])
    with pytest.raises(UsageError) as caught:
        requested_device(arguments)
    assert re.match(message.replace("?", r"\?"), str(caught.value))


def test_a_flag_that_may_stand_alone() -> None:
    found = command(flags=(Flag("json", "a file", default="", alone="-"), Flag("gray", "", "bool")))
    for words, value in (
        (["--json"], "-"),
        (["--json", "--gray"], "-"),
        (["--json", "--", "a"], "-"),
        (["--json", "x.json"], "x.json"),
        (["--json=x.json"], "x.json"),
        (["--json="], ""),
        ([], ""),
    ):
        assert parse_arguments(found, words).json == value, words


def test_flags_that_the_page_does_not_list() -> None:
    found = command(others=lambda: {"heat": Flag("heat", "how hot"), "rate": Flag("rate", "no")})
    arguments = parse_arguments(found, ["--heat", "-1..2", "--rate=2"])
    assert (arguments.heat, arguments.rate, arguments.given) == ("-1..2", 2.0, {"heat", "rate"})
    with pytest.raises(UsageError, match=r"did you mean --heat\?"):
        parse_arguments(found, ["--haet=1"])
