"""`roastery link` puts a ``caffe`` into an environment, and `unlink` takes exactly that away."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

from ir.errors import RoasteryError
from roastery.cli.main import main
from roastery.linking.link import link, unlink

ROOT = Path(__file__).parents[2]
SEE = (
    "import caffe, caffe.io\nfrom caffe.proto import caffe_pb2\nfrom caffe import layers as L\n"
    "print(caffe.__name__, caffe.io.__name__, caffe_pb2.__name__)\n"
)


def python(where: Path, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {n: v for n, v in os.environ.items() if not n.startswith("PYTHON")}
    return subprocess.run(
        [str(where), *words], env={**environment, **variables}, capture_output=True, text=True
    )


def tree(folder: Path) -> dict[str, bytes]:
    return {str(p): p.read_bytes() if p.is_file() else b"" for p in sorted(folder.rglob("*"))}


@pytest.fixture
def environment(tmp_path: Path) -> tuple[Path, Path]:
    """A Python of its own in which Roastery is installed, and where its packages are."""
    venv.create(tmp_path / "env", symlinks=True)
    version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    site = tmp_path / "env" / "lib" / version / "site-packages"
    (site / "all.pth").write_text(f"{sysconfig.get_path('purelib')}\n{ROOT}\n")
    return tmp_path / "env" / "bin" / "python", site


@pytest.mark.slow
def test_an_environment_is_linked_and_unlinked(environment: tuple[Path, Path]) -> None:
    where, site = environment
    before = tree(site)
    assert python(where, "-c", "import caffe").returncode == 1
    done = python(where, "-P", "-m", "roastery", "link")
    assert done.returncode == 0, done.stderr
    assert str(site / "caffe") in done.stdout
    done = python(where, "-c", SEE)
    assert done.stdout.split() == [
        "roastery.caffe",
        "roastery.caffe.io",
        "roastery.caffe.proto.caffe_pb2",
    ]
    assert python(where, "-P", "-m", "roastery", "link").returncode == 0  # again
    assert python(where, "-P", "-m", "roastery", "python", "-c", SEE).returncode == 0
    done = python(where, "-P", "-m", "roastery", "unlink")
    assert done.stdout == f"removed {site / 'caffe'}\n", done.stderr
    assert tree(site) == before


@pytest.mark.slow
def test_an_environment_without_roastery_is_not_linked(environment: tuple[Path, Path]) -> None:
    where, site = environment
    (site / "all.pth").write_text(f"{sysconfig.get_path('purelib')}\n")
    before = tree(site)
    done = python(where, "-m", "roastery", "link", PYTHONPATH=str(ROOT))
    if done.returncode == 0:
        pytest.skip("the environment of the tests has Roastery on its path")
    assert "roastery itself is not installed" in done.stderr
    assert tree(site) == before


@pytest.mark.parametrize("real", ["caffe/__init__.py", "caffe.py"])
def test_a_real_caffe_is_not_hidden(
    tmp_path: Path, real: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    other, site = tmp_path / "other", tmp_path / "site"
    (other / "caffe").mkdir(parents=True)
    site.mkdir()
    (other / real).write_text("")
    monkeypatch.syspath_prepend(str(other))
    with pytest.raises(RoasteryError, match=f"there is a caffe already.*{other / real}"):
        link(site)
    assert list(site.iterdir()) == []


def test_a_folder_of_somebody_elses_stays(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "caffe").mkdir()
    (tmp_path / "caffe" / "data.txt").write_text("mine")
    for command in ("link", "unlink"):
        assert main([command, "--folder", str(tmp_path)]) == 1
        assert "caffe" in capsys.readouterr().err
    assert list(tree(tmp_path)) == [str(tmp_path / "caffe"), str(tmp_path / "caffe" / "data.txt")]


def test_what_was_changed_stays(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    link(tmp_path)
    (tmp_path / "caffe" / "io.pyi").write_text("mine = 1\n")
    (tmp_path / "caffe" / "notes").write_text("mine")
    with pytest.raises(RoasteryError, match=r"io.pyi' is not as `roastery link` wrote it"):
        link(tmp_path)
    assert main(["unlink", "--folder", str(tmp_path)]) == 0
    assert "kept io.pyi" in capsys.readouterr().out
    assert sorted(p.name for p in (tmp_path / "caffe").iterdir()) == ["io.pyi", "notes"]


def test_nothing_is_linked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert unlink(tmp_path) == (None, [])
    assert main(["unlink", "--folder", str(tmp_path)]) == 0
    assert capsys.readouterr().out == "nothing is linked there\n"
    assert main(["link", "--folder", str(tmp_path / "no")]) == 1
    assert main(["link", "--user", "--folder", str(tmp_path)]) == 1


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written(tmp_path: Path) -> None:
    tmp_path.chmod(0o555)
    with pytest.raises(RoasteryError, match="Permission denied"):
        link(tmp_path)


def test_without_roastery_the_link_says_so(tmp_path: Path) -> None:
    link(tmp_path)
    done = python(Path(sys.executable), "-P", "-S", "-c", "import caffe", PYTHONPATH=str(tmp_path))
    assert "roastery is not installed any more" in done.stderr


@pytest.mark.slow
def test_editors_know_names_and_types(tmp_path: Path) -> None:
    link(tmp_path)
    (tmp_path / "script.py").write_text(
        "import caffe\nimport caffe.io\nfrom caffe import layers as L, params as P\n"
        "from caffe.proto import caffe_pb2\n"
        "spec = caffe.NetSpec()\nspec.ip = L.InnerProduct(spec.data, num_output=2)\n"
        "number: int = P.Pooling.MAX\nname: str = caffe_pb2.LayerParameter().name\n"
        "net: caffe.Net = caffe.Net('x', caffe.TEST)\n"
        "wrong: str = P.Pooling.MAX\nL.InnerProduct(3)\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--follow-imports=silent", "--cache-dir",
         str(tmp_path / "cache"), str(tmp_path / "script.py")],
        env={**os.environ, "MYPYPATH": f"{tmp_path}:{ROOT}"}, cwd=tmp_path,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    errors = [line for line in done.stdout.splitlines() if "error" in line and "script.py" in line]
    assert [line.split(":")[1] for line in errors] == ["10", "11"], done.stdout
