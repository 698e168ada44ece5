"""Weights and mean images: binary of three ages, and HDF5."""

from __future__ import annotations

import contextlib
from pathlib import Path
from random import Random

import numpy as np

from frontends.caffemodel import read_net_and_weights, read_weights
from ir.errors import RoasteryError
from roastery.caffe.io import blobprotovector_str_to_arraylist
from roastery.tools.upgrade_files import upgrade_net_binary
from roastery.weights.parameters import load_weights
from roastery.wire.encoding import WireError
from runtime.data.datum import Datum, parse_datum, serialize_datum
from runtime.data.mean_file import read_mean, write_mean

from ..inputs import Sample, one_file
from ..targets import Target, register
from .odd_hdf5 import odd_file
from .places import DATA
from .small_net import ready_solver, snapshot


def _weights(room: Path) -> list[Sample]:
    ours, _ = snapshot(room, "SGD", "BINARYPROTO")
    recorded = (
        "caffemodel/sgd_iter_5.caffemodel",
        "caffemodel/diff_iter_5.caffemodel",
        "upgrades/binary/v0_weights.caffemodel",
        "upgrades/binary/v1_weights.caffemodel",
    )
    return [one_file("w.caffemodel", (DATA / name).read_bytes()) for name in recorded] + [
        one_file("w.caffemodel", ours.read_bytes())
    ]


def _read_weights(path: Path) -> object:
    read_weights(path)
    read_net_and_weights(path)
    with contextlib.suppress(RoasteryError):  # recorded of other nets
        train = ready_solver("SGD").train
        load_weights(path, train.program, train.store)
    return None


def _hdf5_weights(room: Path) -> list[Sample]:
    ours, _ = snapshot(room, "SGD", "HDF5")
    recorded = DATA / "caffemodel" / "adam_h5_iter_5.caffemodel.h5"
    return [one_file("w.caffemodel.h5", path.read_bytes()) for path in (ours, recorded)]


def _read_hdf5_weights(path: Path) -> object:
    read_weights(path)
    with contextlib.suppress(RoasteryError):  # recorded of another net
        train = ready_solver("SGD").train
        load_weights(path, train.program, train.store)
    return None


def _odd_weights(rng: Random, room: Path) -> Sample:
    names = ("data/conv/0", "data/conv/1", "data/ip/0", "data/bn/2", "data", "data/conv")
    return odd_file("w.caffemodel.h5", names, rng, room)


def _old_binaries(room: Path) -> list[Sample]:
    names = ("v0_weights", "v1_weights")
    return [
        one_file(
            "old.caffemodel", (DATA / "upgrades" / "binary" / f"{name}.caffemodel").read_bytes()
        )
        for name in names
    ]


def _upgrade(path: Path) -> object:
    upgrade_net_binary(path, path.with_name("new.caffemodel"))
    return None


def _means(room: Path) -> list[Sample]:
    write_mean(room / "mean.binaryproto", np.ones((3, 4, 5), np.float32))
    files = (room / "mean.binaryproto", DATA / "databases" / "mean.binaryproto")
    return [one_file("mean.binaryproto", path.read_bytes()) for path in files]


def _read_vector(path: Path) -> object:
    return blobprotovector_str_to_arraylist(path.read_bytes())


def _vectors(room: Path) -> list[Sample]:
    from roastery.caffe.io import arraylist_to_blobprotovector_str

    arrays = [np.ones((2, 3), np.float32), np.zeros((1,), np.float32)]
    return [one_file("blobs", arraylist_to_blobprotovector_str(arrays))]


def _datums(room: Path) -> list[Sample]:
    picture = Datum(3, 4, 5, bytes(range(60)), 7)
    numbers = Datum(1, 2, 2, b"", 1, np.arange(4, dtype=np.float32))
    encoded = Datum(data=(DATA / "databases" / "images" / "img_00.png").read_bytes(), encoded=True)
    return [one_file("datum", serialize_datum(d)) for d in (picture, numbers, encoded)]


def _read_datum(path: Path) -> object:
    datum = parse_datum(path.read_bytes())
    return None if datum.encoded else datum.array()


register(
    Target("caffemodel", _weights, _read_weights, "wire", known=("hostile/shape_cut.caffemodel",))
)
register(Target("caffemodel.h5", _hdf5_weights, _read_hdf5_weights, "bytes", odd=_odd_weights))
register(
    Target("upgrade of caffemodels", _old_binaries, _upgrade, "wire", leaves=("new.caffemodel",))
)
register(
    Target("binaryproto mean", _means, read_mean, "wire", known=("hostile/shape_cut.binaryproto",))
)
register(Target("BlobProtoVector", _vectors, _read_vector, "wire"))
register(Target("Datum", _datums, _read_datum, "wire", clean=(WireError,)))
