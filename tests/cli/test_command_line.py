"""``roastery`` as a program: exit codes, help, what it prints where."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ir.errors import RoasteryError
from ir.location import Location
from roastery import __version__
from roastery.cli import registry
from roastery.cli.command import Arguments, Command, Flag
from roastery.cli.help_text import command_page
from roastery.cli.main import main

#: Installs a function as what ``parse_log`` runs.
StandIn = Callable[[Callable[[Arguments], Any]], None]


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch) -> StandIn:
    """Make ``parse_log`` run a function of the test."""

    def install(run: Callable[[Arguments], Any]) -> None:
        command = Command("parse_log", "Stand in", run, flags=(Flag("x", "nothing"),))
        monkeypatch.setattr(registry, "load_command", lambda name: command)

    return install


def roastery(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "roastery", *words],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_a_solver_file_that_holds_a_net_of_a_fork(tmp_path: Path) -> None:
    # In a process of its own: layers declare their parameters when they are first needed.
    net = 'layer { name: "p" type: "Permute" bottom: "x" top: "y" permute_param { order: 1 } }'
    (tmp_path / "net.prototxt").write_text(net)
    done = roastery("train", f"--solver={tmp_path / 'net.prototxt'}")
    assert done.returncode == 1
    assert "is a net, not a solver file" in done.stderr


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"roastery {__version__}\n"


@pytest.mark.parametrize("words", [[], ["--help"], ["-h"], ["help"]])
def test_overview_lists_every_command(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 0
    out = capsys.readouterr().out
    for name in registry.command_names():
        assert f"  {name} " in out


@pytest.mark.parametrize("name", registry.command_names())
def test_every_command_explains_itself(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    command = registry.load_command(name)
    assert main([name, "--help"]) == 0
    page = capsys.readouterr().out
    assert main(["help", name.replace("_", "-")]) == 0
    assert capsys.readouterr().out == page
    assert page == command_page(command) + "\n"
    assert command.examples, "a command teaches by examples"
    assert any(f"roastery {name.replace('_', c)}" in page for c in "_-")
    assert not command.summary.endswith(".") and len(command.summary) <= 60
    for flag in command.flags:
        assert flag.help and not flag.help.endswith(".")


@pytest.mark.parametrize("name", registry.command_names())
def test_flags_have_one_meaning(name: str) -> None:
    command = registry.load_command(name)
    names = [flag.name for flag in command.flags] + [p.name for p in command.positionals]
    assert len(names) == len(set(names))
    assert all("-" not in word for word in [*names, command.name, *command.aliases])


@pytest.mark.parametrize("word", ["parse_log", "parse-log"])
def test_dashes_and_underscores(word: str, stand_in: StandIn) -> None:
    seen: list[Arguments] = []
    stand_in(seen.append)
    assert main([word, "-x", "1"]) == 0
    assert seen[0].x == "1"


def test_flags_before_the_command(stand_in: StandIn) -> None:
    seen: list[Arguments] = []
    stand_in(seen.append)
    assert main(["--x=1", "parse_log"]) == 0
    assert seen[0].x == "1"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["pars_log"], "error: unknown command 'pars_log'; did you mean 'parse_log'?\n"),
        (["fly"], "error: unknown command 'fly'; `roastery --help` lists the commands\n"),
        (["parse_log", "--verbse"], "error: parse_log has no flag --verbse; did you mean"),
        (["--solver=x"], "error: no command before --solver=x; write"),
    ],
)
def test_usage_mistakes(words: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(message)
    assert err.count("\n") == 1


def test_errors_name_place_and_remedy(
    stand_in: StandIn, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(arguments: Arguments) -> None:
        raise RoasteryError("bad", location=Location("net.prototxt", 3), hint="good")

    stand_in(run)
    assert main(["parse_log"]) == 1
    assert capsys.readouterr().err == "error: net.prototxt:3: bad\n  hint: good\n"
    assert main(["parse_log", "--debug"]) == 1
    assert "Traceback" in capsys.readouterr().err


def test_files_that_are_missing(stand_in: StandIn, capsys: pytest.CaptureFixture[str]) -> None:
    stand_in(lambda arguments: Path("no/such/file").read_text())
    assert main(["parse_log"]) == 1
    assert (
        capsys.readouterr().err
        == "error: there is no file 'no/such/file'\n  hint: there is no folder 'no'\n"
    )


def test_defects_keep_their_traceback(stand_in: StandIn) -> None:
    def run(arguments: Arguments) -> None:
        raise ZeroDivisionError

    stand_in(run)
    with pytest.raises(ZeroDivisionError):
        main(["parse_log"])


def test_the_exit_code_is_the_commands(stand_in: StandIn) -> None:
    stand_in(lambda arguments: 3)
    assert main(["parse_log"]) == 3


def test_keyboard_interrupt(stand_in: StandIn, capsys: pytest.CaptureFixture[str]) -> None:
    def run(arguments: Arguments) -> None:
        raise KeyboardInterrupt

    stand_in(run)
    assert main(["parse_log"]) == 130
    assert capsys.readouterr().err == "interrupted\n"


def test_interrupted_as_a_process() -> None:
    code = (
        "import sys, time\n"
        "from roastery.cli import main, registry\n"
        "from roastery.cli.command import Command\n"
        "def run(arguments):\n"
        "    print('ready', flush=True)\n"
        "    time.sleep(60)\n"
        "registry.load_command = lambda name: Command(name, 'x', run)\n"
        "sys.exit(main.main(['parse_log']))\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None and process.stderr is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) == 130
        assert process.stderr.read() == "interrupted\n"


def test_nobody_reads_the_output() -> None:
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-m", "roastery", "--help"],
        stdout=write,
        stderr=subprocess.PIPE,
        check=False,
        timeout=60,
    )
    os.close(write)
    assert (done.returncode, done.stderr) == (141, b"")


def test_python_dash_m(tmp_path: Path) -> None:
    done = roastery("--version")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"roastery {__version__}\n", "")
    assert roastery("fly").returncode == 1


def test_help_is_fast_and_imports_little() -> None:
    """The machine may be busy, so that time alone would say little: what is imported decides."""
    code = (
        "import sys\n"
        "from roastery.cli.main import main\n"
        "main(['--help'])\n"
        "heavy = {'numpy', 'torch', 'triton', 'lark', 'h5py', 'lmdb', 'google.protobuf', 'cv2'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.splitlines()[-1] == "[]"
    assert time.perf_counter() - start < 5


def test_device_query_without_a_gpu(capsys: pytest.CaptureFixture[str]) -> None:
    from runtime.cuda.driver import CudaUnavailable, query_devices

    try:
        devices = query_devices()
    except CudaUnavailable:
        assert main(["device_query"]) == 0
        said = capsys.readouterr().out.splitlines()
        assert said[-1].startswith("no CUDA device")
        names = ("CPU", "Processors", "Threads of a net", "Instructions", "Vector", "C compiler")
        assert tuple(line.partition(":")[0] for line in said[:-1]) == names
        assert main(["device_query", "-gpu", "0"]) == 1
        assert capsys.readouterr().err.startswith("error: no CUDA device")
    else:
        assert main(["device_query"]) == 0
        assert f"Name:                          {devices[0].name}" in capsys.readouterr().err
