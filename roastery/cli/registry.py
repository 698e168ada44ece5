"""Finds commands: every module in :mod:`roastery.cli.commands` is one."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable, Iterator

from . import commands
from .command import Command, UsageError
from .flag_values import suggest


def command_names() -> list[str]:
    """The names of all commands, without importing them."""
    return sorted(
        module.name
        for module in pkgutil.iter_modules(commands.__path__)
        if not module.name.startswith("_")
    )


def load_command(name: str) -> Command:
    """The command in the module ``name``."""
    command = importlib.import_module(f"{commands.__name__}.{name}").COMMAND
    assert isinstance(command, Command) and command.name == name, name
    return command


def all_commands() -> Iterator[Command]:
    """Import and return every command."""
    return map(load_command, command_names())


def find_command(word: str, topics: Iterable[str] = ()) -> Command:
    """The command that the user calls ``word``, with dashes or underscores, or by an alias.

    Args:
        topics: what else there is that ``word`` may be meant for.

    Raises:
        UsageError: there is none; suggests a near one.
    """
    name = word.replace("-", "_")
    names = command_names()
    if name in names:
        return load_command(name)
    by_alias = {alias: command for command in all_commands() for alias in command.aliases}
    if name in by_alias:
        return by_alias[name]
    known = [*names, *by_alias]
    near = suggest(name, known) or suggest(word, topics)
    near = near or "; `roastery --help` lists the commands"
    raise UsageError(f"unknown command '{word}'{near}")
