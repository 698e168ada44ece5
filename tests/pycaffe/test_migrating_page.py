"""What docs/migrating.md names is there."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import roastery.caffe as caffe
from roastery.cli.registry import command_names

PAGE = (Path(__file__).parents[2] / "docs" / "migrating.md").read_text()


def test_every_command_it_names_exists() -> None:
    named = set(re.findall(r"`roastery ([a-z_]+)", PAGE))
    assert len(named) > 15
    assert named <= set(command_names())


def test_every_call_it_names_exists() -> None:
    named = set(re.findall(r"`caffe\.([A-Za-z_0-9.]+)", PAGE))
    assert len(named) >= 15
    for name in named:
        value: object = caffe
        for part in name.rstrip(".").split("."):
            if not hasattr(value, part):
                value = importlib.import_module(f"{value.__name__}.{part}")
            else:
                value = getattr(value, part)


def test_the_pages_it_points_to_exist() -> None:
    for target in re.findall(r"\]\(([a-z-]+\.md)\)", PAGE):
        assert (Path(__file__).parents[2] / "docs" / target).is_file()
