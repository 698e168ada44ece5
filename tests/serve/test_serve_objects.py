"""Objects that a detection net finds in pictures that run together."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from roastery.cli.main import main
from tests.support.roast_servers import assert_same_lines, write_weights
from tests.support.small_detector import SSD

pytestmark = pytest.mark.usefixtures("server_modules")


@pytest.fixture
def artifact(in_folder: Path) -> Path:
    Path("ssd.prototxt").write_text(SSD)
    write_weights(Path("ssd.prototxt"), Path("ssd.caffemodel"), 0.02)
    words = ["export", "ssd.prototxt", "--weights=ssd.caffemodel", "--output=ssd.roast"]
    assert main([*words, "--cpu-baseline=none", "--mean-value=7", "--labels=labels.txt"]) == 0
    return Path("ssd.roast")


def test_they_are_those_of_run(artifact: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from roast_server.engine import RoasteryEngine
    from roast_server.pictures import PictureRules
    from roast_server.rows import Sharing, find_rows

    engine = RoasteryEngine(artifact, "reference")
    rows = find_rows(engine, 4)
    assert (rows.sharing, rows.most) == (Sharing.ANY, 4)
    rules = PictureRules(engine, rows)
    files = [(name, Path(name).read_bytes()) for name in ("0.png", "1.png", "2.png")]
    arrays, sizes = rules.input_of(files)
    results = engine.run(rows.join([arrays]))
    said = []
    for row, ((name, _), size) in enumerate(zip(files, sizes, strict=True)):
        found = rules.said(row, rows.part(results, 0, 3), size, 5, 0.3)["found"]["objects"]
        said.append(name)
        for each in found:
            edges = " ".join(f"{edge:.1f}" for edge in each["box"])
            said.append(f"  {each['score']:.4f}  {each['label']}  {edges}")
    capsys.readouterr()
    names = [name for name, _ in files]
    assert main(["run", str(artifact), *names, "--threshold=0.3", "--device=reference"]) == 0
    assert_same_lines(said, capsys.readouterr().out.splitlines())
    assert len(said) > 6


def test_no_picture_gets_what_another_shows(artifact: Path) -> None:
    """Two requests of one picture each say what they say alone."""
    from roast_server.engine import RoasteryEngine
    from roast_server.rows import find_rows

    engine = RoasteryEngine(artifact, "reference")
    rows = find_rows(engine, 4)
    rng = np.random.default_rng(5)
    given = [{"data": rng.uniform(-99, 99, (1, 3, 6, 8)).astype(np.float32)} for _ in range(3)]
    together = engine.run(rows.join(given))
    for number, arrays in enumerate(given):
        part, alone = rows.part(together, number, 1)["found"], engine.run(arrays)["found"]
        np.testing.assert_allclose(part, alone, rtol=1e-4, atol=1e-5)
