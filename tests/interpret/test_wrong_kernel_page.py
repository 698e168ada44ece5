"""docs/debugging-a-wrong-kernel.md: its steps, on code that is as wrong as it says."""

from __future__ import annotations

import importlib
import re
import runpy
import shlex
import subprocess
from pathlib import Path

import pytest

from compiler.kernels.emitter import RULES
from roastery.cli.main import main
from tests.cli.test_debugging_page import examples_of, pattern
from tests.support.c_kernels import COMPILED

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/debugging-a-wrong-kernel.md").read_text(encoding="utf-8")


def make_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    """Change the rules as the page's diff changes their file."""
    ((path, diff),) = re.findall(r"^`([\w/.]+)`:\n\n```diff\n(.*?)```", PAGE, re.DOTALL | re.M)
    (old,), (new,) = (re.findall(rf"^\{sign}(.*)$", diff, re.MULTILINE) for sign in "-+")
    source = (ROOT / path).read_text(encoding="utf-8")
    assert source.count(old) == 1
    module = importlib.import_module(path.removesuffix(".py").replace("/", "."))
    names = dict(vars(module))
    for op, rule in list(RULES.items()):
        monkeypatch.setitem(RULES, op, rule)  # to be put back
    exec(compile(source.replace(old, new), path, "exec"), names)


def run(command: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    """The exit code and what is printed."""
    program, *words = shlex.split(command)
    if program not in ("python", "roastery"):
        done = subprocess.run([program, *words], capture_output=True, text=True)
        return done.returncode, done.stdout + done.stderr
    code = 0
    if program == "roastery":
        code = main(words)
    else:
        try:
            runpy.run_path(words[0], run_name="__main__")
        except SystemExit as end:
            code = int(end.code or 0)
    return code, "".join(capsys.readouterr())


def test_its_steps_lead_to_the_kernel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (net,) = re.findall(r"```prototxt\n(.*?)```", PAGE, re.DOTALL)
    Path("net.prototxt").write_text(net)
    scripts = re.findall(r"^`(\w+\.py)`:\n\n```python\n(.*?)```", PAGE, re.DOTALL | re.MULTILINE)
    for name, text in scripts:
        Path(name).write_text(text)
    assert [name for name, _ in scripts] == ["compare.py"]
    make_wrong(monkeypatch)
    for command, shown in examples_of(PAGE):
        if not COMPILED and command.split()[0] in ("cc", "./check"):
            continue
        code, printed = run(command, capsys)
        if not COMPILED:  # numpy has no kernels
            shown = re.sub("^(cpu: .*) wrong$", r"\1 right", shown, flags=re.MULTILINE)
        wanted = pattern(shown).replace(re.escape("..."), ".*")
        assert re.fullmatch(wanted, printed), f"{command}\n{printed}"
        assert code == ("DIFFERS" in shown or "--bisect" in command), command


def test_what_it_names_is_there() -> None:
    names = re.findall(r"`((?:compiler|runtime|ir|tests|roastery)/[\w/.]+)`", PAGE)
    assert len(names) > 8
    assert [name for name in names if not (ROOT / name).exists()] == []
