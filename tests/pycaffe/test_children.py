"""Pythons that a script under `roastery python` starts see ``caffe`` as it does."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from roastery.startup.for_children import environment_for_children

SEE = "import caffe, caffe.io\nfrom caffe.proto import caffe_pb2\nprint(caffe.__name__)\n"


def run(folder: Path, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {n: v for n, v in os.environ.items() if n not in ("PYTHONPATH", "PYTHONHOME")}
    return subprocess.run(
        [sys.executable, "-m", "roastery", "python", *words],
        cwd=folder,
        env={**environment, **variables},
        capture_output=True,
        text=True,
        timeout=120,
    )


def said(done: subprocess.CompletedProcess[str]) -> list[str]:
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


@pytest.mark.parametrize(
    "start",
    [
        "[sys.executable, 'see.py']",
        "['python', 'see.py']",
        "'python see.py'",
        "['python', '-c', 'import subprocess; subprocess.run([\"python\", \"see.py\"])']",
    ],
)
def test_by_subprocess(tmp_path: Path, start: str) -> None:
    (tmp_path / "see.py").write_text(SEE)
    (tmp_path / "main.py").write_text(
        "import subprocess, sys\n"
        f"subprocess.run({start}, shell={start.startswith(chr(39))}, check=True)\n"
    )
    assert said(run(tmp_path, "main.py")) == ["roastery.caffe"]


def test_another_python_on_the_path_is_not_asked(tmp_path: Path) -> None:
    other = tmp_path / "bin"
    other.mkdir()
    (other / "python").write_text("#!/bin/sh\necho another\n")
    (other / "python").chmod(0o755)
    (tmp_path / "see.py").write_text(SEE)
    (tmp_path / "main.py").write_text("import os\nos.system('python see.py')\n")
    path = f"{other}{os.pathsep}{os.environ['PATH']}"
    assert said(run(tmp_path, "main.py", PATH=path)) == ["roastery.caffe"]


@pytest.mark.parametrize(
    ("how", "method"),
    [
        ("file", "spawn"),
        ("file", "forkserver"),
        ("file", "fork"),
        ("module", "spawn"),
        ("package", "forkserver"),
    ],
)
def test_by_multiprocessing(tmp_path: Path, method: str, how: str) -> None:
    folder = tmp_path / "jobs" if how == "package" else tmp_path
    folder.mkdir(exist_ok=True)
    (folder / "__init__.py").write_text("")
    (folder / "main.py").write_text(
        "import multiprocessing\n"
        "import caffe\n"
        "def work(number):\n"
        "    import caffe\n"
        "    return caffe.__name__ + str(number)\n"
        "if __name__ == '__main__':\n"
        f"    with multiprocessing.get_context('{method}').Pool(1) as pool:\n"
        "        print(pool.map(work, [1, 2]))\n"
    )
    words = {"file": ["main.py"], "module": ["-m", "main"], "package": ["-m", "jobs.main"]}[how]
    assert said(run(tmp_path, *words)) == ["['roastery.caffe1',", "'roastery.caffe2']"]


def test_settings_reach_them(tmp_path: Path) -> None:
    (tmp_path / "see.py").write_text(
        "import caffe\nfrom caffe.proto import caffe_pb2\n"
        "print(hasattr(caffe_pb2, 'PriorBoxParameter'))\n"
        "import os\nprint(os.environ['ROASTERY_DEVICE'], os.environ['GLOG_minloglevel'])\n"
    )
    (tmp_path / "main.py").write_text("import os\nos.system('python see.py')\n")
    words = ["--dialect=ssd", "--device=reference", "-minloglevel=2", "main.py"]
    assert said(run(tmp_path, *words)) == ["True", "reference", "2"]


def test_their_own_customizing_goes_on(tmp_path: Path) -> None:
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "sitecustomize.py").write_text("import sys\nsys.custom = __name__\n")
    (tmp_path / "main.py").write_text(
        "import subprocess, sys\n"
        "subprocess.run([sys.executable, '-c', 'import sys, caffe; print(sys.custom)'])\n"
        "subprocess.run([sys.executable, '-c', 'import sys; print(len(sys.modules))'])\n"
        "code = 'import sys; print([p for p in sys.path if p.endswith(\"children\")])'\n"
        "subprocess.run([sys.executable, '-c', code])\n"
        "subprocess.run([sys.executable, '-c', 'import sys; print(\"roastery\" in sys.modules)'])\n"
    )
    custom, modules, children, ours = said(run(tmp_path, "main.py", PYTHONPATH="lib"))
    assert custom == "sitecustomize" and int(modules) < 200
    assert (children, ours) == ("[]", "False")


def test_another_prefix_is_left_alone(tmp_path: Path) -> None:
    variables = environment_for_children() | {"ROASTERY_CHILD_OF": "/usr 2.7"}
    code = "import sys; print([n for n in sys.modules if 'roastery' in n or n == '__script__'])"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
    )
    assert (done.stdout, done.stderr) == ("[]\n", "")


def test_the_environment_is_as_before_afterwards(tmp_path: Path) -> None:
    from roastery.cli.main import main

    before = dict(os.environ)
    (tmp_path / "s.py").write_text("import os\nassert 'ROASTERY_CHILD_OF' in os.environ\n")
    assert main(["python", str(tmp_path / "s.py")]) == 0
    assert dict(os.environ) == before


def test_code_and_its_main_module() -> None:
    from roastery.cli.main import main

    code = "import pickle, __main__\ndef f(): pass\nassert pickle.loads(pickle.dumps(f)) is f\n"
    assert main(["python", "-c", code + "assert __main__.f is f"]) == 0
