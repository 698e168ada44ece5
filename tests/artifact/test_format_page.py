"""docs/artifact-format.md names every member, and every field of what is written."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from compiler.kernel import Config, Parameter
from compiler.plan import plan as plans
from runtime.artifact import Artifact, Manifest
from runtime.artifact.cpu_code import CpuEntry
from runtime.artifact.manifest import FORMAT, Member, Tensor

PAGE = (Path(__file__).parents[2] / "docs" / "artifact-format.md").read_text(encoding="utf-8")
WORDS = set(re.findall(r"[\w./]+", " ".join(re.findall(r"`([^`]*)`", PAGE))))


def written() -> Iterator[Any]:
    yield from (Manifest, Member, Tensor, Config, Parameter, CpuEntry)
    for found in vars(plans).values():
        if dataclasses.is_dataclass(found) and found.__module__ == plans.__name__:  # type: ignore[attr-defined]
            yield found


@pytest.mark.parametrize("kind", list(written()), ids=lambda kind: kind.__name__)
def test_every_field_is_named(kind: Any) -> None:
    assert {field.name for field in dataclasses.fields(kind)} - WORDS == set()


def test_every_member_is_named(write: Callable[..., Path]) -> None:
    with Artifact.load(write()) as artifact:
        names = {name for name in artifact.manifest.members if "/" not in name}
        folders = {name.partition("/")[0] for name in artifact.manifest.members} - names
        header = artifact.plan()[1]
    assert names - WORDS == set()
    assert all(f"`{folder}/" in PAGE for folder in folders)
    for binaries in header.values():
        assert binaries[0].header().keys() - WORDS == set()
    assert f"format {FORMAT}" in PAGE
