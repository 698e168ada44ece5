"""The pages of --help: what is a command's own, then in a line each how nets are run."""

from __future__ import annotations

import re

import pytest

from roastery.cli.command import COMMON_FLAGS, Command, Flag
from roastery.cli.help_text import command_page, overview, running_page
from roastery.cli.main import main
from roastery.cli.registry import all_commands, find_command

SHARED = Flag("heat", "how hot it is, and " + "much more " * 30, brief="how hot it is")


def roast(*flags: Flag) -> Command:
    return Command("roast", "Roast something", lambda arguments: None, flags)


def test_shared_flags_come_last_and_in_short() -> None:
    page = command_page(roast(SHARED, Flag("own", "its own")))
    assert page.index("Flags:\n  --own=OWN") < page.index("Running (`roastery help running`")
    assert "  --heat=HEAT  how hot it is\n" in page and "much more" not in page
    assert page.rstrip().splitlines()[-1].split()[0] == "--help"


def test_a_command_without_shared_flags() -> None:
    page = command_page(roast(Flag("own", "its own")))
    assert "Running" not in page and "--debug" in page
    assert "Flags:" not in command_page(roast(SHARED)) and "--debug" in command_page(roast())


@pytest.mark.parametrize("command", list(all_commands()), ids=lambda command: command.name)
def test_every_flag_is_on_the_page_once(command: Command) -> None:
    page = command_page(command)
    for flag in (*command.flags, *COMMON_FLAGS):
        assert len(re.findall(rf"^  --(?:no)?{flag.name}\b", page, re.MULTILINE)) == 1, flag.name


@pytest.mark.parametrize("name", ["detect_objects", "segment", "classify", "train"])
def test_how_to_run_takes_a_line_per_flag(name: str) -> None:
    command = find_command(name)
    running = command_page(command).partition("Running (")[2].splitlines()
    shared = [flag for flag in command.flags if flag.brief]
    assert len(shared) > 5 and len(running) == 1 + len(shared) + len(COMMON_FLAGS)


def test_flags_of_one_name_are_all_short() -> None:
    """What is shared by some commands is on the page of no command in full."""
    shared = {flag.name for command in all_commands() for flag in command.flags if flag.brief}
    shared -= {"device", "gpu"}  # of some commands the main thing
    assert {"precision", "passes", "layout", "threads", "fuel", "memory_budget"} <= shared
    for command in all_commands():
        long = [flag.name for flag in command.flags if flag.name in shared and not flag.brief]
        assert not long, (command.name, long)


def test_the_page_of_shared_flags(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["help", "running"]) == 0
    page = capsys.readouterr().out
    assert page == running_page(all_commands()) + "\n"
    assert "--precision=PRECISION" in page and "11 significant bits" in " ".join(page.split())
    assert "--gpu=N " in page and "--gpu " in page
    assert "`roastery help running`" in overview(all_commands())
