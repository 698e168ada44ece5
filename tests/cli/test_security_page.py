"""docs/security.md speaks of every command, and of flags and variables that exist."""

from __future__ import annotations

import fnmatch
import re
from pathlib import Path

from roastery.cli.registry import all_commands, command_names

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")


def test_every_command_has_a_row() -> None:
    rows = [line.split("|")[1] for line in PAGE.splitlines() if line.startswith("| `")]
    patterns = [name.split()[0] for row in rows for name in re.findall(r"`([^`]+)`", row)]
    assert not [n for n in command_names() if not any(fnmatch.fnmatch(n, p) for p in patterns)]
    assert not [p for p in patterns if not fnmatch.filter(command_names(), p)]


def test_flags_and_variables_exist() -> None:
    flags = {flag.name for command in all_commands() for flag in command.flags}
    for name in re.findall(r"--([a-z][a-z-]+)", PAGE):
        assert name.replace("-", "_") in flags, name
    sources = "".join(
        p.read_text() for p in (*ROOT.glob("r*/**/*.py"), *ROOT.glob("compiler/*.py"))
    )
    for name in set(re.findall(r"ROASTERY_[A-Z_]+", PAGE)):
        assert f'"{name}"' in sources, name
