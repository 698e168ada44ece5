"""A net as a folder of C, built by make as users build it, run as a program and as a library."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest

import roastery
from compiler.c.export.folder import net_identifier
from compiler.c.export.names import c_string, fresh
from ir.errors import RoasteryError
from roastery.api.exporting import export_net
from roastery.cli.main import main
from tests.support import c_kernels, sample_nets

pytestmark = [
    c_kernels.needs_compiler,
    pytest.mark.skipif(shutil.which("make") is None, reason="there is no make"),
]

STRICT = "-std=c11 -Wall -Wextra -Werror"
SANITIZED = f"{STRICT} -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all"
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

INCEPTION = "".join(
    [
        sample_nets.inputs(data=(1, 3, 9, 7), boost=(1, 1)),
        *(sample_nets.conv(f"c{size}", "data", 6, size, f"pad: {size // 2}") for size in (1, 3, 5)),
        sample_nets.pool("max", "data", "kernel_size: 3 pad: 1"),
        sample_nets.layer("inception", "Concat", "c1 c3 c5 max"),
        sample_nets.batch_norm("inception"),
        sample_nets.layer("lrn", "LRN", "inception", "lrn_param { local_size: 3 }"),
        sample_nets.layer("drop", "Dropout", "lrn"),
        sample_nets.dense("total", "drop", 5),
        sample_nets.layer("boosted", "Reshape", "boost", "reshape_param { shape { dim: 1 } }"),
        sample_nets.layer("out/put", "Scale", "total boosted", "scale_param { axis: 0 }"),
    ]
)
"""Concatenated branches; two inputs, of sizes that no vector divides; an output with a slash."""


def exported(text: str, folder: Path, **options: object) -> Path:
    """The folder of a net."""
    (folder / "net.prototxt").write_text(text)
    export_net(folder / "net.prototxt", None, folder / "c", ["c"], **options)  # type: ignore[arg-type]
    return folder / "c"


def built(folder: Path, compiler: str, flags: str, target: str = "net") -> None:
    """By make, without a word of the compiler."""
    command = ["make", "-C", str(folder), target, f"CC={compiler}", f"CFLAGS={flags}"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""


def run(folder: Path, *words: str, program: str = "net") -> subprocess.CompletedProcess[str]:
    return subprocess.run([f"./{program}", *words], cwd=folder, capture_output=True, text=True)


def saved(folder: Path, arrays: Mapping[str, np.ndarray]) -> list[str]:
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array)
    return [f"{name}={name}.npy" for name in arrays]


def arrays_for(folder: Path) -> dict[str, np.ndarray]:
    net = roastery.compile(folder.parent / "net.prototxt", device="cpu")
    rng = np.random.default_rng(0)
    return {
        name: rng.standard_normal(shape, dtype=np.float32) for name, shape in net.inputs.items()
    }


def on_cpu(folder: Path, arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """What device cpu computes of a net that was exported."""
    net = roastery.compile(folder.parent / "net.prototxt", device="cpu", freeze=True)
    return net(**arrays)


@pytest.fixture(scope="module")
def lenet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return exported(LENET, tmp_path_factory.mktemp("lenet"))


@pytest.fixture(scope="module")
def inception(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built with sanitizers."""
    folder = exported(INCEPTION, tmp_path_factory.mktemp("inception"))
    built(folder, "gcc", SANITIZED)
    return folder


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


def test_sanitizers_find_nothing(inception: Path) -> None:
    arrays = arrays_for(inception)
    done = run(inception, *saved(inception, arrays), "--output", "results", "--threads", "2")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "wrote results/out_put_0.npy\n"
    got, expected = np.load(inception / "results/out_put_0.npy"), on_cpu(inception, arrays)
    np.testing.assert_allclose(got, expected["out/put"], rtol=1e-5, atol=1e-6)


def test_all_kinds_of_numbers_are_taken(inception: Path) -> None:
    data = np.random.default_rng(1).integers(0, 100, (1, 3, 9, 7))
    printed = set()
    for kind in ("f2", "f4", "f8", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8"):
        words = saved(inception, {"data": data.astype(kind), "boost": np.ones((1, 1), kind)})
        done = run(inception, *words)
        assert done.returncode == 0, done.stderr
        printed.add(done.stdout)
    assert len(printed) == 1


def damaged(folder: Path) -> list[tuple[bytes, str]]:
    """Files for the input, and what is said of them."""
    right = np.zeros((1, 3, 9, 7), np.float32)
    found = []

    def add(array: np.ndarray, message: str, change: Sequence[bytes] = (b"", b"")) -> None:
        np.save(folder / "x.npy", array)
        found.append(((folder / "x.npy").read_bytes().replace(*change), message))

    add(right[0], "has the shape (3, 9, 7); the net was exported for data: float32 [1, 3, 9, 7]")
    add(np.zeros((1, 3, 7, 9)), "has the shape (1, 3, 7, 9); the net was exported for")
    add(right.astype(">f4"), "is in big-endian order: save array.astype('<f4')")
    add(np.asfortranarray(right + 1), "is in Fortran's order")
    add(right.astype(complex), "holds elements '<c16', which are no numbers")
    add(np.array(["a"]), "holds elements '<U1', which are no numbers")
    add(right, "is no .npy file (numpy.save writes them)", (b"NUMPY", b"NUMPI"))
    add(right, "unknown version 9", (b"NUMPY\x01", b"NUMPY\x09"))
    add(right, "its header has no 'descr'", (b"'descr'", b"'deskr'"))
    add(right, "its header has no 'shape'", (b"'shape'", b"'shope'"))
    add(right, "has the shape", (b"(1, 3, 9, 7)", b"(1, 3, 9, 9999999999999999999999999)"))
    add(right, "has the shape", (b"(1, 3, 9, 7)", b"(1, 3, 9, -"))
    whole = found[0][0]
    found += [
        (b"", "is no whole .npy file: it ends too early"),
        (whole[:9], "ends too early"),
        (whole[:60], "ends too early"),
        (b"\x93NUMPY\x02\x00\xff\xff\xff\xff" + bytes(99), "its header has 4294967295 bytes"),
    ]
    np.save(folder / "x.npy", right)
    whole = (folder / "x.npy").read_bytes()
    found += [(whole[:-1], "is damaged: its header says 756 bytes of elements, it has 755")]
    return [*found, (whole + b"\0", "it has 757")]


def test_damaged_inputs(inception: Path) -> None:
    saved(inception, {"boost": np.ones((1, 1), np.float32)})
    for number, (data, message) in enumerate(damaged(inception)):
        (inception / f"{number}.npy").write_bytes(data)
        done = run(inception, f"data={number}.npy", "boost.npy")
        assert (done.returncode, done.stdout) == (1, ""), done.stderr
        assert done.stderr.startswith(f"net: {number}.npy: ") and message in done.stderr
        assert done.stderr.count("\n") == 1


def flipped(data: bytes, at: int) -> bytes:
    changed = bytearray(data)
    changed[at] ^= 16
    return bytes(changed)


def test_damaged_weights(inception: Path) -> None:
    words = saved(inception, arrays_for(inception))
    whole = (inception / "net.weights").read_bytes()
    for data, message in (
        (b"", "is too short for a file of weights"),
        (whole[:40], "is too short"),
        (whole[:-64], "is not of the size that it should have"),
        (whole + bytes(64), "is not of the size"),
        (b"caffe" + whole[5:], "is no file of weights"),
        (flipped(whole, 8), "holds the weights of another net, or of another export of it"),
        *((flipped(whole, at), "is damaged: its checksum differs") for at in (64, 999, -1)),
    ):
        (inception / "wrong.weights").write_bytes(data)
        done = run(inception, *words, "--weights", "wrong.weights")
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.startswith("net: wrong.weights: ") and message in done.stderr
    for path, message in (("none", "No such file"), (".", "is no file")):
        done = run(inception, *words, f"--weights={path}")
        assert done.returncode == 1 and message in done.stderr


def test_wrong_command_lines(inception: Path) -> None:
    data, boost = saved(inception, arrays_for(inception))
    for words, message in (
        ([data], "missing input boost: float32 [1, 1]; ./net --help explains"),
        ([data, boost, "more.npy"], "more.npy: is one file more than the net has inputs (2)"),
        ([data, data], "input data is given twice: data.npy, data.npy"),
        (["none.npy", boost], "none.npy: No such file"),
        ([".", boost], ".: is no file"),
        ([data, boost, "--thread=2"], "--thread is no flag; ./net --help lists them"),
        ([data, boost, "--threads=two"], "--threads is 'two': a whole number from 1 to 256"),
        ([data, boost, "--threads"], "--threads wants a value"),
        ([data, boost, "--output=/proc/none"], "/proc/none: "),
    ):
        done = run(inception, *words)
        assert done.returncode == 1 and done.stderr.startswith("net: "), done.stderr
        assert message in done.stderr
    shown = run(inception, "--help")
    assert shown.returncode == 0 and "input data: float32 [1, 3, 9, 7]" in shown.stdout


LIBRARY = """
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "net.h"
enum { THREADS = 4, RUNS = 20 };
static net *nets[2];
static float data[189], boost[1], expected[5];
static void *work(void *number) {
    float out[5];
    for (int i = 0; i < RUNS; ++i) {
        net *one = nets[(*(int *)number + i) % 2];
        if (net_run(one, (const void *[]){data, boost}, (void *[]){out})) exit(2);
        if (memcmp(out, expected, sizeof out)) exit(3);
    }
    return NULL;
}
int main(void) {
    char problem[30];
    pthread_t threads[THREADS];
    int numbers[THREADS];
    if (net_open(&nets[0], "none", problem, sizeof problem) != NET_NO_WEIGHTS || nets[0]) return 4;
    if (net_open(&nets[0], NULL, NULL, 0) != NET_NO_WEIGHTS) return 5;
    for (int i = 0; i < 2; ++i)
        if (net_open(&nets[i], "net.weights", problem, sizeof problem)) return 6;
    for (int i = 0; i < 189; ++i) data[i] = (float)(i % 17) - 8;
    boost[0] = 2;
    if (net_inputs[0].count != 189 || net_inputs[2].name || net_outputs[0].nbytes != 20) return 7;
    if (net_run(nets[0], NULL, NULL) != NET_WRONG_ARGUMENT) return 8;
    if (net_set_threads(nets[0], -1) != NET_WRONG_ARGUMENT) return 9;
    if (net_run(nets[0], (const void *[]){data, boost}, (void *[]){expected})) return 10;
    for (int i = 0; i < THREADS; ++i) {
        numbers[i] = i;
        net_set_threads(nets[i % 2], i);
        if (pthread_create(&threads[i], NULL, work, &numbers[i])) return 11;
    }
    for (int i = 0; i < THREADS; ++i) pthread_join(threads[i], NULL);
    net_close(nets[0]);
    if (net_run(nets[1], (const void *[]){data, boost}, (void *[]){expected})) return 12;
    net_close(nets[1]);
    net_close(NULL);
    puts(net_message(NET_OK));
    return 0;
}
"""


def test_a_library(inception: Path) -> None:
    """Two nets by four threads, with nothing left behind."""
    (inception / "user.c").write_text(LIBRARY)
    command = f"gcc {SANITIZED} -o user user.c libnet.a -lm -lpthread"
    subprocess.run(command.split(), cwd=inception, check=True)
    done = run(inception, program="user")
    assert (done.returncode, done.stdout, done.stderr) == (0, "all is well\n", "")


def test_state_is_kept_and_reset(tmp_path: Path) -> None:
    """A recurrent net goes on where its last run ended."""
    lstm = 'recurrent_param { num_output: 3 weight_filler { type: "uniform" min: -1 max: 1 } }'
    inputs = sample_nets.inputs(data=(2, 1, 4), cont=(2, 1))
    folder = exported(inputs + sample_nets.layer("y", "LSTM", "data cont", lstm), tmp_path)
    program = """
#include <stdio.h>
#include "net.h"
int main(void) {
    const float data[8] = {1, -1, 0.5f, 2, 0, 1, 1, -3}, cont[2] = {1, 1};
    float y[6];
    net *made;
    if (net_open(&made, "net.weights", NULL, 0)) return 1;
    for (int run = 0; run < 4; ++run) {
        if (run == 3) net_reset(made);
        net_run(made, (const void *[]){data, cont}, (void *[]){y});
        for (int i = 0; i < 6; ++i) printf("%.9g ", (double)y[i]);
    }
    net_close(made);
}
"""
    (folder / "main.c").write_text(program)
    built(folder, "gcc", f"{STRICT} -O1")
    net = roastery.compile(tmp_path / "net.prototxt", device="cpu", freeze=True)
    data = np.array([1, -1, 0.5, 2, 0, 1, 1, -3], np.float32).reshape(2, 1, 4)
    found = np.array(run(folder).stdout.split(), np.float32).reshape(4, 2, 1, 3)
    expected = [net(data=data, cont=np.ones((2, 1), np.float32))["y"] for _ in range(3)]
    np.testing.assert_allclose(found[:3], expected, rtol=1e-5, atol=1e-6)
    assert (found[0] != found[1]).any()
    np.testing.assert_array_equal(found[3], found[0])


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
    pooling = "roi_pooling_param { pooled_h: 2 pooled_w: 2 spatial_scale: 1 }"
    inputs = sample_nets.inputs(data=(1, 2, 6, 6), rois=(1, 5))
    text = inputs + sample_nets.layer("pooled", "ROIPooling", "data rois", pooling)
    with pytest.raises(
        RoasteryError, match=r"(?s)net\.prototxt:\d+.*'pooled'.*cannot be exported for C"
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
