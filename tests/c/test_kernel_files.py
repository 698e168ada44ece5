"""``roastery compile --device cpu --dump``: each kernel's file is a program that checks itself."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from compiler.c.checked_file import check_support
from compiler.c.drawn import drawn
from compiler.c.support import prelude
from ir.types import BOOL, F32, I32, U32, DType
from roastery.cli.main import main
from tests.support import c_kernels, sample_nets
from tests.support.c_kernels import needs_compiler

OPTIONS = ("-O1", "-Wall", "-Wextra", "-Werror", "-std=c11")
ZIG = (sys.executable, "-m", "ziglang", "cc")
SHOWN = ("conv1_2", "pool1", "d_pool1", "d_conv1", "d_conv1.fold", "ip1_relu_ip1", "loss")
"""Of LeNet: one of each kind, of which one has two kernels and one is given places."""


def compilers() -> list[tuple[str, ...]]:
    found = [(name,) for name in ("gcc", "clang") if shutil.which(name)]
    return [*found, ZIG] if _has_zig() else found


def _has_zig() -> bool:
    done = subprocess.run([*ZIG, "--version"], capture_output=True)
    return done.returncode == 0


@pytest.fixture(scope="module")
def kernels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dump")
    (folder / "net.prototxt").write_text(sample_nets.lenet(batch=64))
    net = f"{folder / 'net.prototxt'}"
    assert main(["compile", net, "--device=cpu", f"--dump={folder / 'out'}"]) == 0
    return folder / "out" / "kernels"


def checked(
    source: Path, program: Path, compiler: tuple[str, ...] = ()
) -> subprocess.CompletedProcess[str]:
    """Compiled as any file, with every warning an error, and run."""
    command = [*(compiler or c_kernels.compiler().command), *OPTIONS]
    if compiler and compiler[-1] == "cc":
        command += ["-target", "native"]
    subprocess.run([*command, str(source), "-lm", "-o", str(program)], check=True)
    return subprocess.run([str(program)], capture_output=True, text=True)


@needs_compiler
@pytest.mark.parametrize("compiler", compilers(), ids=lambda c: "zig" if c == ZIG else c[0])
def test_files_are_programs(kernels: Path, tmp_path: Path, compiler: tuple[str, ...]) -> None:
    for name in SHOWN if compiler != ZIG else SHOWN[:1]:
        done = checked(kernels / f"{name}.c", tmp_path / name, compiler)
        assert done.returncode == 0, (name, done.stdout)
        assert "relative error" in done.stdout and "DIFFERS" not in done.stdout


@needs_compiler
@pytest.mark.parametrize("name", SHOWN)
def test_a_wrong_kernel_is_told(kernels: Path, tmp_path: Path, name: str) -> None:
    """One that leaves out a program."""
    text = (kernels / f"{name}.c").read_text()
    head, loop, rest = text.rpartition("for (int64_t program = begin; ")
    assert loop
    (tmp_path / "wrong.c").write_text(f"{head}for (int64_t program = begin + 1; {rest}")
    done = checked(tmp_path / "wrong.c", tmp_path / "wrong")
    assert done.returncode == 1 and "  DIFFERS\n" in done.stdout


def test_files_say_what_they_are(kernels: Path) -> None:
    text = (kernels / "conv1_2.c").read_text()
    assert text.startswith("/* conv1_2: a kernel made by Roastery.\n")
    for part in (
        "net.prototxt:",
        'type: "Convolution"',
        "= conv(%",
        "cc -O3 ",
        "void conv1_2_kernel(",
    ):
        assert part in text, part
    launches = (kernels.parent / "launches.txt").read_text()
    for file in kernels.iterdir():
        assert file.suffix == ".c" and file.name in launches


def test_gpus_are_not_the_cpu(kernels: Path, capsys: pytest.CaptureFixture[str]) -> None:
    net = str(kernels.parents[1] / "net.prototxt")
    assert main(["compile", net, "--device=cpu", "--target=sm_80"]) == 1
    assert "--target names GPUs" in capsys.readouterr().err


@needs_compiler
def test_sequences_are_checked_at_their_length(tmp_path: Path) -> None:
    """Their steps are written out: they are no batch of which a few will do."""
    net = sample_nets.inputs(data=(5, 2, 3), cont=(5, 2)) + sample_nets.layer(
        "lstm", "LSTM", "data cont", "recurrent_param { num_output: 4 }"
    )
    (tmp_path / "net.prototxt").write_text(net)
    asked = ["--device=cpu", f"--dump={tmp_path / 'out'}"]
    assert main(["compile", f"{tmp_path / 'net.prototxt'}", *asked]) == 0
    for file in (tmp_path / "out" / "kernels").iterdir():
        assert checked(file, tmp_path / file.stem).returncode == 0, file


@needs_compiler
@pytest.mark.parametrize("baseline", ["", "x86-64-v2"])
def test_target_c_compiles(
    tmp_path: Path, baseline: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "net.prototxt").write_text(sample_nets.lenet(batch=2))
    asked = [f"{tmp_path / 'net.prototxt'}", f"--dump={tmp_path / 'out'}"]
    asked += [f"--cpu-baseline={baseline}"] if baseline else []
    assert main(["compile", *asked, "--target=c"]) == 0
    last = capsys.readouterr().out.splitlines()[-1]
    count = len(list((tmp_path / "out" / "kernels").glob("*.c")))
    assert re.match(rf"c \({baseline or '.*'}\): {count} kernels compiled by ", last), last


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--target=c,sm_80"], "--target=c is for CPUs"),
        (["--target=c", "--device=cuda"], "--target=c is for CPUs"),
        (["--cpu-baseline=x86-64-v3"], "--cpu-baseline is for kernels in C"),
        (["--target=c", "--cpu-baseline=i386"], "unknown CPU baseline 'i386'"),
    ],
)
def test_flags_that_do_not_go_together(
    kernels: Path, flags: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["compile", str(kernels.parents[1] / "net.prototxt"), *flags]) == 1
    assert said in capsys.readouterr().err


@needs_compiler
def test_names_do_no_harm(tmp_path: Path) -> None:
    name = r'a*/ #error " %s %n \\ \n \\'
    net = sample_nets.inputs(data=(2, 3))
    net += f"layer {{ name: '{name}' type: 'ReLU' bottom: 'data' top: '{name}' }}"
    (tmp_path / "net.prototxt").write_text(net)
    out = f"--dump={tmp_path / 'out'}"
    assert main(["compile", f"{tmp_path / 'net.prototxt'}", "--device=cpu", out]) == 0
    (file,) = (tmp_path / "out" / "kernels").iterdir()
    assert checked(file, tmp_path / "named").returncode == 0


@needs_compiler
@pytest.mark.parametrize("dtype", [F32, I32, U32, BOOL])
def test_operands_are_those_of_numpy(dtype: DType, tmp_path: Path) -> None:
    shown = "\n".join(f'printf("%.17g\\n", (double)drawn_{dtype}(3, 9, 1)[{i}]);' for i in range(9))
    text = f"{prelude(4)}\n{check_support()}\nint main(void) {{ {shown} }}\n"
    (tmp_path / "drawn.c").write_text(text)
    done = checked(tmp_path / "drawn.c", tmp_path / "drawn")
    expected = drawn(3, 9, dtype, positive=True)
    np.testing.assert_array_equal(np.array(done.stdout.split(), np.float64), expected)
