"""Arrays: npy, npz, IDX, CIFAR, and HDF5 data."""

from __future__ import annotations

import gzip
import hashlib
import io
import shutil
import struct
from pathlib import Path
from random import Random

import h5py
import numpy as np

from roastery.cli.arrays import load_array, load_npy
from runtime.data.opening import open_source
from runtime.data.sources.hdf5_data import HDF5DataConfig
from runtime.data.tools.cifar import convert_cifar
from runtime.data.tools.mnist import convert_mnist

from .. import mutate_bytes
from ..inputs import Sample, one_file
from ..targets import Target, register
from .odd_hdf5 import odd_file


def _hash(array: np.ndarray) -> str:
    return f"{array.dtype} {array.shape} {hashlib.sha1(array.tobytes()).hexdigest()}"


def _npys(room: Path) -> list[Sample]:
    samples = []
    for array in (np.ones((2, 3), np.float32), np.arange(4), np.ones((1, 2), ">f8", order="F")):
        stream = io.BytesIO()
        np.save(stream, array)
        samples.append(one_file("x.npy", stream.getvalue()))
    return samples


def _read_npy(path: Path) -> object:
    return _hash(load_array(str(path), "data"))


def _read_mean(path: Path) -> object:
    return _hash(load_npy(path))


def _npzs(room: Path) -> list[Sample]:
    samples = []
    for save in (np.savez, np.savez_compressed):
        stream = io.BytesIO()
        save(stream, data=np.ones((2, 3), np.float32))
        samples.append(one_file("x.npz", stream.getvalue()))
    return samples


def _odd_npz(rng: Random, room: Path) -> Sample:
    """An archive that is right and holds an array that is not."""
    import zipfile

    inner = rng.choice(_npys(room)).files["x.npy"]
    for _ in range(rng.choice((0, 1, 2))):
        inner = rng.choice(mutate_bytes.MUTATORS)(inner, rng)
    if rng.random() < 0.3:
        size = rng.choice((2**33, 10**9, 40))
        header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({size},)}}"
        inner = b"\x93NUMPY\1\0" + struct.pack("<H", len(header)) + header.encode()
        inner += b"\0" * rng.choice((0, 160, 10**6))
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(rng.choice(("data.npy", "data", "../data.npy", "x.npy")), inner)
        if rng.random() < 0.2:
            archive.writestr("data2.npy", inner)
    return one_file("x.npz", stream.getvalue())


def _idx(magic: int, shape: tuple[int, ...]) -> bytes:
    size = int(np.prod(shape))
    return struct.pack(f">I{len(shape)}I", magic, *shape) + bytes(i % 251 for i in range(size))


def _idxs(room: Path, pack: bool) -> list[Sample]:
    files = {"images": _idx(2051, (5, 4, 3)), "labels": _idx(2049, (5,))}
    if pack:
        files = {name: gzip.compress(content, mtime=0) for name, content in files.items()}
    return [Sample(files, "images")]


def _odd_gzip(rng: Random, room: Path) -> Sample:
    """Right gzip around wrong or huge IDX."""
    files = {"images": _idx(2051, (5, 4, 3)), "labels": _idx(2049, (5,))}
    name = rng.choice(sorted(files))
    content = files[name]
    for _ in range(rng.choice((0, 1, 2))):
        content = rng.choice(mutate_bytes.MUTATORS)(content, rng)
    if rng.random() < 0.2:
        content += b"\0" * (50 << 20)
    files[name] = content
    return Sample({key: gzip.compress(value, 1, mtime=0) for key, value in files.items()}, "images")


def _convert_mnist(path: Path) -> object:
    target = path.parent.parent / "mnist_out"
    shutil.rmtree(target, ignore_errors=True)
    convert_mnist(path, path.with_name("labels"), target, "leveldb")
    from runtime.data.database import open_database

    database = open_database(target, "LEVELDB", None)
    try:
        return [record.read() for record in database.records()]
    finally:
        database.close()


def _cifars(room: Path) -> list[Sample]:
    record = bytes([3]) + bytes(3072)
    names = [f"data_batch_{i}.bin" for i in range(1, 6)] + ["test_batch.bin"]
    return [Sample({f"in/{name}": record * 2 for name in names}, "in")]


def _convert_cifar(path: Path) -> object:
    target = path.parent.parent / "cifar_out"
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir()
    return convert_cifar(path, target, "leveldb")


def _hdf5s(room: Path) -> list[Sample]:
    samples = []
    for compression in (None, "gzip"):
        path = room / f"{compression}.h5"
        with h5py.File(path, "w") as file:
            file.create_dataset("data", data=np.ones((4, 2), np.float32), compression=compression)
            file.create_dataset("label", data=np.arange(4.0, dtype=np.float32))
        samples.append(Sample({"a.h5": path.read_bytes(), "list.txt": b"a.h5\n"}, "list.txt"))
    return samples


def _read_hdf5(path: Path) -> object:
    config = HDF5DataConfig(source="list.txt", batch_size=3)
    source = open_source(config, "TRAIN", 1, path.parent)
    try:
        for _ in range(3):
            source.next()
    finally:
        source.close()
    return None


def _odd_data(rng: Random, room: Path) -> Sample:
    made = odd_file("a.h5", ("data", "label"), rng, room)
    return Sample({**made.files, "list.txt": b"a.h5\n"}, "list.txt")


register(Target("npy", _npys, _read_npy, "bytes", known=("hostile/token.npy",)))
register(Target("npy mean", _npys, _read_mean, "bytes", known=("hostile/token.npy",)))
register(Target("npz", _npzs, _read_npy, "bytes", odd=_odd_npz))
register(Target("IDX", lambda room: _idxs(room, False), _convert_mnist, "bytes"))
register(
    Target(
        "IDX in gzip",
        lambda room: _idxs(room, True),
        _convert_mnist,
        "bytes",
        odd=_odd_gzip,
        sealed=True,
    )
)
register(Target("CIFAR", _cifars, _convert_cifar, "bytes"))
register(Target("HDF5 data and list", _hdf5s, _read_hdf5, "bytes", odd=_odd_data))
