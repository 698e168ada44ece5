"""``roastery inspect``: members with their checksums, and memory as a picture."""

from __future__ import annotations

import hashlib
import xml.etree.ElementTree as Tree
import zipfile
from pathlib import Path

import pytest
from test_light_loading import exported

from compiler.plan.memory import lifetimes
from compiler.plan.saved_sizes import saved_plan_at
from roastery.api.cpu_baselines import compilers_for
from roastery.cli.main import main
from runtime.artifact import Artifact

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def artifact(tmp_path: Path) -> Path:
    name = next(iter(compilers_for(())), "")
    if not name:
        pytest.skip("no C compiler")
    return exported(tmp_path, name)


def test_every_buffer_is_a_rectangle(artifact: Path) -> None:
    drawn = artifact.with_suffix(".svg")
    assert main(["inspect", str(artifact), f"--picture={drawn}"]) == 0
    groups = Tree.parse(drawn).getroot().findall(f"{SVG}g")
    with Artifact.load(artifact) as opened:
        (entry,) = opened.cpu_entries().values()
        plan = saved_plan_at(opened.cpu_code(entry).plan, opened.manifest.sizes, as_saved=True)
    told = {group.findtext(f"{SVG}title") for group in groups}
    expected = {
        f"{plan.buffers[each.id].name}: {plan.buffers[each.id].type}, {each.size} bytes at "
        f"{plan.memory.offsets[each.id]}, steps {each.first} to {each.last}"
        for each in lifetimes(plan)
    }
    assert told == expected != set()
    boxes = []
    for group in groups:
        rectangle = group.find(f"{SVG}rect")
        assert rectangle is not None
        boxes.append([float(rectangle.attrib[key]) for key in ("x", "y", "width", "height")])
    for number, (x, y, width, height) in enumerate(boxes):
        for a, b, c, d in boxes[:number]:  # what lives at once lies apart
            apart = x >= a + c - 0.1 or a >= x + width - 0.1
            assert apart or y >= b + d - 0.1 or b >= y + height - 0.1


def test_pictures_of_other_kinds(artifact: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("matplotlib")
    drawn = artifact.with_suffix(".png")
    assert main(["inspect", str(artifact), f"--picture={drawn}"]) == 0
    assert drawn.read_bytes().startswith(b"\x89PNG")
    assert main(["inspect", str(artifact), "--picture=net.odd"]) == 1
    assert "cannot write pictures of the kind 'odd'" in capsys.readouterr().err
    assert main(["inspect", str(artifact), "--picture=/no/such/folder/net.svg"]) == 1
    assert "cannot write '/no/such/folder/net.svg'" in capsys.readouterr().err


def test_members_are_told_with_their_checksums(
    artifact: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["inspect", str(artifact), "--members"]) == 0
    shown = capsys.readouterr().out
    with zipfile.ZipFile(artifact) as archive:
        for info in archive.infolist():
            if info.filename != "manifest.json":
                digest = hashlib.sha256(archive.read(info)).hexdigest()
                row = [f"{info.file_size:,}", digest, info.filename]
                assert row in [line.split() for line in shown.splitlines()]


def test_what_has_no_plan_is_not_drawn(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = exported(tmp_path, "none")
    assert main(["inspect", str(path), f"--picture={tmp_path / 'net.svg'}"]) == 1
    assert "net.roast has no plan of memory" in capsys.readouterr().err
    assert not (tmp_path / "net.svg").exists()
