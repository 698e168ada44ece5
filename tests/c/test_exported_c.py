"""A net as a folder of C: for which CPUs, under which names, and what is refused."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from compiler.c.export.folder import net_identifier
from compiler.c.export.names import c_string, fresh
from ir.errors import RoasteryError
from roastery.cli.main import main
from tests.support import c_kernels, sample_nets
from tests.support.exported_c import (
    INCEPTION,
    STRICT,
    arrays_for,
    built,
    exported,
    on_cpu,
    run,
    saved,
)

pytestmark = [
    c_kernels.needs_compiler,
    pytest.mark.skipif(shutil.which("make") is None, reason="there is no make"),
]

FILES = ["Makefile", "lenet.c", "lenet.h", "lenet.weights", "lenet_weights.S", "main.c"]

LENET = 'name: "LeNet"\n' + "".join(
    [
        sample_nets.inputs(data=(2, 1, 28, 28)),
        sample_nets.conv("conv1", "data", 20, 5),
        sample_nets.pool("pool1", "conv1", "kernel_size: 2 stride: 2"),
        sample_nets.conv("conv2", "pool1", 50, 5),
        sample_nets.pool("pool2", "conv2", "kernel_size: 2 stride: 2"),
        sample_nets.dense("ip1", "pool2", 500),
        sample_nets.relu("ip1"),
        sample_nets.dense("ip2", "ip1", 10),
        sample_nets.layer("prob", "Softmax", "ip2"),
    ]
)


@pytest.fixture(scope="module")
def lenet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return exported(LENET, tmp_path_factory.mktemp("lenet"))


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_a_program(lenet: Path, compiler: str) -> None:
    """What it prints is what device cpu computes, to the last bit where that has this compiler."""
    if shutil.which(compiler) is None:
        pytest.skip(f"there is no {compiler}")
    assert sorted(path.name for path in lenet.iterdir() if path.name in FILES) == FILES
    subprocess.run(["make", "-C", str(lenet), "clean"], check=True, capture_output=True)
    built(lenet, compiler, f"{STRICT} -O3")
    arrays = arrays_for(lenet)
    saved(lenet, arrays)
    done = run(lenet, "data.npy")
    assert (done.returncode, done.stderr) == (0, "")
    first, *rows = done.stdout.splitlines()
    assert first == "prob: float32 [2, 10]"
    printed = np.array([row.split() for row in rows], np.float32)
    expected = on_cpu(lenet, arrays)["prob"]
    if compiler == c_kernels.compiler().kind:
        np.testing.assert_array_equal(printed, expected)
    else:
        np.testing.assert_allclose(printed, expected, rtol=1e-5)
    for threads in ("1", "3"):
        assert run(lenet, "data.npy", "--threads", threads).stdout == done.stdout


def test_one_file_with_the_weights_inside(lenet: Path, tmp_path: Path) -> None:
    built(lenet, "gcc", f"{STRICT} -O1", "single")
    arrays = arrays_for(lenet)
    words = saved(tmp_path, arrays)
    shutil.copy(lenet / "net_single", tmp_path / "net")
    done = run(tmp_path, *words, "--output=results", "--repeat=2")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("wrote results/prob.npy\n2 runs: ")
    expected = on_cpu(lenet, arrays)["prob"]
    np.testing.assert_allclose(np.load(tmp_path / "results/prob.npy"), expected, rtol=1e-5)


def test_it_says_for_which_cpu_it_is(tmp_path: Path) -> None:
    folder = exported(sample_nets.inputs(x=(3,)) + sample_nets.layer("y", "ReLU", "x"), tmp_path,
                      cpu_baseline="aarch64")  # fmt: skip
    source = (folder / "net.c").read_text()
    assert "with the instructions of aarch64, by vectors of 4 floats" in source
    if c_kernels.machine().instructions != "aarch64":
        done = subprocess.run(["make", "-C", str(folder)], capture_output=True, text=True)
        assert done.returncode != 0
        assert "printed for aarch64: export the net for this CPU (--cpu-baseline)" in done.stderr


@pytest.mark.skipif(shutil.which("qemu-x86_64") is None, reason="there is no qemu-x86_64")
@pytest.mark.skipif(c_kernels.machine().instructions < "x86-64-v3", reason="this CPU is older")
def test_an_older_cpu_is_told(tmp_path: Path) -> None:
    folder = exported(sample_nets.inputs(x=(40,)) + sample_nets.layer("y", "TanH", "x"), tmp_path)
    built(folder, "gcc", f"{STRICT} -O3")
    saved(folder, arrays_for(folder))
    assert run(folder, "x.npy").returncode == 0
    command = ["qemu-x86_64", "-cpu", "Nehalem", "./net", "x.npy"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("net: this CPU: lacks instructions of x86-64-v")


ZIG = f"{sys.executable} -m ziglang"


@pytest.mark.skipif(shutil.which("qemu-aarch64") is None, reason="there is no qemu-aarch64")
@pytest.mark.skipif(importlib.util.find_spec("ziglang") is None, reason="there is no ziglang")
def test_another_machine(tmp_path: Path) -> None:
    """Compiled by Zig for NEON, and run by an emulator."""
    folder = exported(INCEPTION, tmp_path, cpu_baseline="aarch64")
    words = ["make", "-C", str(folder), f"CC={ZIG} cc -target aarch64-linux-musl", f"AR={ZIG} ar"]
    subprocess.run([*words, "LDFLAGS=-static", f"CFLAGS={STRICT} -O1"], check=True)
    arrays = arrays_for(folder)
    words = ["qemu-aarch64", "./net", *saved(folder, arrays), "--output=results", "--threads=2"]
    subprocess.run(words, cwd=folder, check=True)
    got, expected = np.load(folder / "results/out_put_0.npy"), on_cpu(folder, arrays)
    np.testing.assert_allclose(got, expected["out/put"], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--target=c,cpu"], "target c is a folder, cpu a file: they cannot be exported at once"),
        (["--target=c", "--cpu-baseline=sse2"], "unknown CPU baseline 'sse2'"),
        (["--target=c", "--model=other.prototxt"], "two nets are named"),
        (["--target=c", "--output=full"], "the folder holds other files"),
        (["--target=c", "--output=full/file"], "Not a directory"),
    ],
)
def test_what_is_refused(
    words: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    Path("net.prototxt").write_text(
        sample_nets.inputs(x=(3,)) + sample_nets.layer("y", "ReLU", "x")
    )
    Path("full").mkdir()
    Path("full/file").write_text("mine")
    assert main(["export", "net.prototxt", "--output=new", *words]) == 1
    assert message in capsys.readouterr().err
    assert not Path("new").exists() and Path("full/file").read_text() == "mine"


def test_layers_without_kernels_are_named(tmp_path: Path) -> None:
    text, _ = sample_nets.with_host_op()
    with pytest.raises(
        RoasteryError, match=r"(?s)net\.prototxt:\d+.*'matched'.*cannot be exported for C"
    ):
        exported(text, tmp_path)
    python = sample_nets.layer("own", "Python", "data", 'python_param { module: "m" layer: "L" }')
    (tmp_path / "m.py").write_text(
        "import caffe\nclass L(caffe.Layer):\n"
        "    def setup(self, bottom, top): pass\n"
        "    def reshape(self, bottom, top): top[0].reshape(*bottom[0].shape)\n"
        "    def forward(self, bottom, top): pass\n"
    )
    with pytest.raises(RoasteryError, match=r"(?s)'own'.*runs on the host and cannot be exported"):
        exported(sample_nets.inputs(data=(1, 2)) + python, tmp_path, allow_python=True)


def test_exported_again_it_keeps_what_was_changed(tmp_path: Path) -> None:
    text = sample_nets.inputs(x=(3,)) + sample_nets.layer("y", "ReLU", "x")
    folder = exported(text, tmp_path)
    whole = {path.name: path.read_bytes() for path in folder.iterdir()}
    (folder / "main.c").write_bytes(whole["main.c"] + b"/* mine */\n")
    (folder / "net.c").write_text("damaged")
    (folder / "net.o").write_text("built")
    exported(text, tmp_path, cpu_baseline="aarch64")
    assert b"aarch64" in (folder / "net.c").read_bytes() and (folder / "net.o").exists()
    assert (folder / "main.c").read_bytes() == whole["main.c"] + b"/* mine */\n"
    (folder / "main.c").write_bytes(whole["main.c"])
    exported(text, tmp_path)
    assert {name: (folder / name).read_bytes() for name in whole} == whole


def test_a_folder_named_after_the_net(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    layer = sample_nets.layer("y", "ReLU", "x")
    Path("deploy.prototxt").write_text('name: "My Net"\n' + sample_nets.inputs(x=(3,)) + layer)
    assert main(["export", "deploy.prototxt", "--target=c"]) == 0
    assert capsys.readouterr().out.startswith("wrote my_net: c (")
    assert Path("my_net/my_net.c").exists()


def test_names_in_c() -> None:
    names = ("LeNet", "ResNet-50", "7x7", "main", "f\u00fcr", "", "int", "pool", "run", "net")
    found = "lenet resnet_50 net_7x7 net_main f_r net net_int net_pool net_run net"
    assert list(map(net_identifier, names)) == found.split()
    assert fresh("a", ["a", "a_2"]) == "a_3"
    assert c_string('a"b\\c?\n\u00e9') == '"a\\042b\\134c\\077\\012\\303\\251"'
