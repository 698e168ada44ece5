"""Arrays, IDX files and artifacts that claim more than they hold, or hold too much."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from ir.errors import RoasteryError
from roastery.cli.arrays import load_array, load_npy
from roastery.cli.main import main
from runtime.artifact import load
from runtime.artifact.container import MOST_LINES
from tests.support.measured import run_measured


def npy(header: str, data: bytes = b"", version: int = 1) -> bytes:
    text = header.encode("latin-1")
    length = struct.pack("<H" if version == 1 else "<I", len(text))
    return b"\x93NUMPY" + bytes([version, 0]) + length + text + data


def of(shape: str, kind: str = "<f4") -> str:
    return f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}}}"


BAD: dict[str, tuple[bytes, str]] = {
    "no end of a tuple": (npy("{'descr': '<f4', 'shape': (4, \n"), ""),
    "a deep literal": (npy("(" * 9000), ""),
    "a call": (npy("__import__('os').system('true')"), "malformed node"),
    "a zero byte": (npy("{'descr\0"), ""),
    "an object": (npy(of("(1,)", "|O"), b"cos\nsystem\n."), "it holds object, not numbers"),
    "text": (npy(of("(1,)", "<U4"), bytes(16)), "it holds <U4, not numbers"),
    "fields": (npy("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,)}"), "numbers"),
    "a huge shape": (npy(of("(1000000, 1000000)")), "takes 4000000000000 bytes, and it has"),
    "an overflowing shape": (npy(of(f"({10**30}, {10**30})")), "takes 4"),
    "a negative shape": (npy(of("(-4,)"), bytes(16)), "is no shape"),
    "a shape of truth": (npy(of("(True, 4)"), bytes(16)), "is no shape"),
    "nothing of a huge shape": (npy(of(f"(0, {2**62}, 8)")), "is no shape"),
    "nothing, overflowing": (npy(of(f"({2**32}, {2**32}, 0)")), "is no shape"),
    "many axes": (npy(of("(" + "1, " * 70 + ")"), bytes(4)), "is no shape"),
    "a long header": (npy(" " * 70_000, version=2), "its header claims 70000 bytes"),
    "a cut header": (b"\x93NUMPY\x02\0\xff\xff\0\0{", ""),
    "a new version": (npy(of("(1,)"), bytes(4), 9), "version (9, 0) of numpy's format"),
    "cut numbers": (npy(of("(4,)"), bytes(3)), "ends after 3 of 16 bytes"),
    "a pickle": (b"\x80\x04cos\nsystem\n(S'true'\ntR.", "magic string is not correct"),
    "nothing": (b"", ""),
}


@pytest.mark.parametrize("case", BAD)
def test_npy_headers(case: str, tmp_path: Path) -> None:
    content, message = BAD[case]
    path = tmp_path / "x.npy"
    path.write_bytes(content)
    archive = tmp_path / "x.npz"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("x.npy", content)
    for read, said in (
        (lambda: load_npy(path), "is not a numpy file"),
        (lambda: load_array(str(path), "x"), "holds no array"),
        (lambda: load_array(f"{archive}:x", "x"), "holds no array"),
    ):
        with pytest.raises(RoasteryError, match=said) as caught:
            read()
        assert message in str(caught.value) and "\n" not in caught.value.message


@pytest.mark.parametrize(
    "array",
    [
        np.arange(24, dtype=np.float32).reshape(2, 3, 4),
        np.arange(24, dtype=">i4").reshape(4, 6).T,
        np.float64(3),
        np.zeros((0, 5), np.float16),
        np.array([True, False]),
    ],
)
def test_what_numpy_writes_is_read(array: np.ndarray, tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", array)
    np.savez(tmp_path / "x.npz", a=array)
    np.savez_compressed(tmp_path / "y.npz", a=array)
    for found in (
        load_npy(tmp_path / "x.npy"),
        load_array(str(tmp_path / "x.npy"), "a"),
        load_array(f"{tmp_path}/x.npz:a", "b", np.shape(array)),
        load_array(f"{tmp_path}/y.npz", "a"),
    ):
        np.testing.assert_array_equal(found, array)
        assert found.dtype == np.asarray(array).dtype and found.flags.writeable
    with pytest.raises(RoasteryError, match="has no array 'q'\n  hint: it has: a"):
        load_array(f"{tmp_path}/x.npz:q", "b")


NET = """
layer { name: "d" type: "Input" top: "x" input_param { shape { dim: 1 dim: 3 } } }
layer { name: "ip" type: "InnerProduct" bottom: "x" top: "y" inner_product_param { num_output: 2 } }
"""


@pytest.fixture
def artifact(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """The members of a small artifact, which lies at net.roast."""
    monkeypatch.chdir(tmp_path)
    Path("net.prototxt").write_text(NET)
    assert main(["export", "--model=net.prototxt", "--output=net.roast", "--target=cpu"]) == 0
    with zipfile.ZipFile("net.roast") as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def forged(members: dict[str, bytes], path: str = "bad.roast") -> str:
    """An artifact whose checksums are right, whatever it holds."""
    manifest = json.loads(members["manifest.json"])
    for name, data in members.items():
        if name != "manifest.json":
            sha256 = hashlib.sha256(data).hexdigest()
            manifest["members"][name] = {"size": len(data), "sha256": sha256}
    members = {**members, "manifest.json": json.dumps(manifest).encode()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        for name, data in members.items():
            stored = name.endswith(".safetensors")
            made.writestr(name, data, zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED)
    return path


def test_archives_take_little_memory(artifact: dict[str, bytes]) -> None:
    """Small files of zeros, in every format that is compressed."""
    zeros = bytes(400 << 20)
    packer = zlib.compressobj(1, wbits=31)
    head = struct.pack(">iiii", 2051, 400 << 10, 32, 32)
    Path("images.gz").write_bytes(packer.compress(head) + packer.compress(zeros) + packer.flush())
    labels = struct.pack(">ii", 2049, 400 << 10) + bytes(400 << 10)
    Path("labels.gz").write_bytes(gzip.compress(labels, 1))
    with zipfile.ZipFile("x.npz", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as made:
        with made.open("x.npy", "w") as member:
            member.write(npy(of(f"({100 << 20},)")))
            member.write(zeros)
        with made.open("long.npy", "w") as member:
            member.write(b"\x93NUMPY\x02\0\0\0\0\x20")
            member.write(zeros)
    del zeros
    deep = b'{"format": 1, "a": ' + b"[" * 500_000
    wide = b'{"format": 1, "a": [' + b"[]," * 1_300_000 + b"[]]}"
    for name, manifest in (("deep", deep), ("wide", wide), ("long", wide * 4)):
        with zipfile.ZipFile(f"{name}.roast", "w", zipfile.ZIP_DEFLATED) as made:
            made.writestr("manifest.json", manifest)
    commands = [
        ["convert_mnist", "images.gz", "labels.gz", "db"],
        ["run", "net.roast", "--input=x=x.npz:x"],
        ["run", "net.roast", "--input=x=x.npz:long"],
        *(["run", f"{name}.roast"] for name in ("deep", "wide", "long")),
    ]
    for words, outcome in zip(commands, run_measured(commands, Path.cwd()), strict=True):
        assert outcome.code == 1, words
        assert "error: " in outcome.err and "Traceback" not in outcome.err
        assert outcome.mebibytes < 300, words
    assert not Path("db").exists()


def test_a_shape_is_compared_before_its_numbers_are_read(artifact: dict[str, bytes]) -> None:
    Path("x.npy").write_bytes(npy(of("(1000, 1000)")) + bytes(4_000_000))
    read: list[int] = []

    class Counting(io.FileIO):
        def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
            count = super().readinto(buffer)
            read.append(count)
            return count

    with io.BufferedReader(Counting("x.npy")) as stream:
        from roastery.cli.arrays import _OtherShape, _read_array

        with pytest.raises(_OtherShape):
            _read_array(stream, 4_000_100, (1, 3))
    assert sum(read) < 1 << 20
    with pytest.raises(RoasteryError, match="has shape 1000 x 1000; 1 x 3 was expected"):
        load_array("x.npy", "x", (1, 3))


def _graph(change: Callable[[str], str]) -> Callable[[dict[str, bytes]], dict[str, bytes]]:
    return lambda members: {**members, "graph.txt": change(members["graph.txt"].decode()).encode()}


GRAPHS: dict[str, tuple[Callable[[dict[str, bytes]], dict[str, bytes]], str]] = {
    "lines": (_graph(lambda text: text + "\n" * MOST_LINES), f"{MOST_LINES} are the limit"),
    "size": (_graph(lambda text: text + "#" * (9 << 20)), "unpacks to"),
    "one line": (
        _graph(lambda text: text.replace("output", "%q: f32[] = map(" + "%x, " * 200_000, 1)),
        "is no sound graph",
    ),
    "expression": (
        _graph(lambda t: t.replace("output", "%q: f32[1,3] = map(%x) {" + "add(" * 90_000, 1)),
        "is no sound graph",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", GRAPHS)
def test_graphs(case: str, artifact: dict[str, bytes]) -> None:
    change, message = GRAPHS[case]
    with pytest.raises(RoasteryError, match=message):
        load(forged(change(artifact)), "reference")  # machine code needs no graph


def test_expressions_give_their_memory_back() -> None:
    """A thousand steps over an array hold a few of them at a time, not all."""
    import tracemalloc

    from ir import expr as e
    from ir.expr_numpy import evaluate

    array = np.zeros(1 << 18, np.float32)
    root = e.arg(0)
    for number in range(300):
        root = root * 0.5 + float(number)
    tracemalloc.start()
    evaluate([root], [array], array.shape, np.dtype(np.float32))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 * array.nbytes


def packed(data: bytes) -> bytes:
    return gzip.compress(data, mtime=0)


IMAGES = struct.pack(">iiii", 2051, 3, 4, 5) + bytes(60)
LABELS = struct.pack(">ii", 2049, 3) + bytes(3)


@pytest.mark.parametrize(
    "images, labels, message",
    [
        (IMAGES + b"x", LABELS, "says that 60 bytes follow, and it has 61"),
        (packed(IMAGES + b"x"), LABELS, "says that 60 bytes follow, and it has more"),
        (packed(IMAGES[:-1]), LABELS, "says that 60 bytes follow, and it has 59"),
        (packed(IMAGES), packed(LABELS + b"x"), "3 bytes follow, and it has more"),
        (packed(IMAGES) + b"trailing", LABELS, "cannot read"),
        (packed(IMAGES)[:-4], LABELS, "cannot read"),
        (
            packed(struct.pack(">iiii", 2051, 3, 1 << 20, 1 << 12)),
            LABELS,
            r"says that 12884901888 bytes follow; \d+ compressed bytes are taken to hold at most",
        ),
        (struct.pack(">iIII", 2051, 3, 1 << 31, 1 << 31), LABELS, "and it has 0"),
    ],
    ids=range(8),
)
def test_idx_files(images: bytes, labels: bytes, message: str, tmp_path: Path) -> None:
    from runtime.data.tools.mnist import convert_mnist

    (tmp_path / "i").write_bytes(images)
    (tmp_path / "l").write_bytes(labels)
    with pytest.raises(RoasteryError, match=message):
        convert_mnist(tmp_path / "i", tmp_path / "l", tmp_path / "db")
    assert not (tmp_path / "db").exists()
