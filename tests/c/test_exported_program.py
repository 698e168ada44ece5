"""What a folder of C becomes: a program, and a library, built with sanitizers."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

import roastery
from tests.support import c_kernels, sample_nets
from tests.support.exported_c import (
    INCEPTION,
    SANITIZED,
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


@pytest.fixture(scope="module")
def inception(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built with sanitizers."""
    folder = exported(INCEPTION, tmp_path_factory.mktemp("inception"))
    built(folder, "gcc", SANITIZED)
    return folder


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
