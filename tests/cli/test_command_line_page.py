"""docs/command-line.md is what the commands say of themselves."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from roastery.cli.command import COMMON_FLAGS, Command, Example
from roastery.cli.markdown import page
from roastery.cli.parse import parse_arguments
from roastery.cli.registry import all_commands, command_names, find_command

PAGE = Path(__file__).parents[2] / "docs" / "command-line.md"
EXAMPLES = [(command, example) for command in all_commands() for example in command.examples]


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(all_commands()), (
        "run: python -m roastery.cli.markdown > docs/command-line.md"
    )


def test_every_command_and_flag_is_there() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert sorted(re.findall(r"^## (\w+)$", text, re.MULTILINE)) == command_names()
    for command in all_commands():
        for flag in (*command.flags, *COMMON_FLAGS):
            assert re.search(rf"^\* `--(no)?{flag.name}[`=]", text, re.MULTILINE), flag.name


@pytest.mark.parametrize(
    ("command", "example"), EXAMPLES, ids=lambda v: getattr(v, "line", "")[:60]
)
def test_examples_can_be_typed(command: Command, example: Example) -> None:
    """Every example is a command line that its command takes; of pipes, the part that is ours."""
    ours = next(p for p in re.split(r"\s*(?:\||&&)\s*", example.line) if p.startswith("roastery "))
    words = [w for w in shlex.split(ours) if not re.fullmatch(r"\d?>(&\d)?.*|&", w)]
    found = find_command(words[1])
    assert found.name == command.name or found.name in command_names()
    parse_arguments(found, words[2:])
