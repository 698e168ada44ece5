"""A folder that hides one of our packages is named, before it can do harm."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from roastery.startup.own_packages import NEIGHBOURS, ShadowedPackageError, check_own_packages

ROOT = Path(__file__).parent.parent.parent


def test_this_house_is_in_order() -> None:
    check_own_packages()


def import_roastery(folder: Path) -> subprocess.CompletedProcess[str]:
    """Import roastery as a script in ``folder`` would."""
    script = folder / "script.py"
    script.write_text("import roastery\nprint(roastery.__version__)\n")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, str(script)],
        capture_output=True, text=True, check=False, env=environment, timeout=60,
    )  # fmt: skip


def test_a_folder_without_these_names(tmp_path: Path) -> None:
    assert import_roastery(tmp_path).returncode == 0


@pytest.mark.parametrize("name", NEIGHBOURS)
def test_a_package_that_hides_ours(name: str, tmp_path: Path) -> None:
    (tmp_path / name).mkdir()
    (tmp_path / name / "__init__.py").write_text("raise SystemExit('the wrong one was imported')")
    done = import_roastery(tmp_path)
    assert done.returncode == 1
    assert "ShadowedPackageError" in done.stderr
    assert f"'import {name}' finds {tmp_path / name}, not {ROOT / name}" in done.stderr
    assert f"rename '{name}' in {tmp_path}" in done.stderr


def test_a_module_that_hides_ours(tmp_path: Path) -> None:
    (tmp_path / "runtime.py").write_text("")
    done = import_roastery(tmp_path)
    assert f"'import runtime' finds {tmp_path / 'runtime.py'}" in done.stderr


def test_a_folder_without_init_does_no_harm(tmp_path: Path) -> None:
    """Python prefers our package, wherever it stands on the path, to a bare folder."""
    (tmp_path / "compiler").mkdir()
    assert import_roastery(tmp_path).returncode == 0


def test_a_package_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(ShadowedPackageError, match=r"'import ir' finds .*, not .*ir that belongs"):
        check_own_packages(tmp_path)


def test_an_artifact_runs_without_frontends(tmp_path: Path) -> None:
    """They may be missing altogether."""
    sample = ROOT / "tests" / "data" / "artifacts" / "v2.roast"
    script = f"""
import sys
sys.modules["frontends"] = None
import roastery
print(sorted(roastery.load({str(sample)!r}).outputs) != [])
"""
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True, text=True, check=False, cwd=tmp_path, timeout=60,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert (done.stdout, done.returncode) == ("True\n", 0), done.stderr
