"""HDF5 files that point elsewhere, ask for plugins, or unpack to more than they should."""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from frontends.caffemodel import read_state, read_weights
from ir.errors import RoasteryError
from tests.support.measured import run_measured

ONES = np.ones((4, 3), np.float32)


def external_link(file: h5py.File, name: str, other: Path) -> None:
    file[name] = h5py.ExternalLink(str(other), "/secret")


def link_to_link(file: h5py.File, name: str, other: Path) -> None:
    file["way"] = h5py.ExternalLink(str(other), "/")
    file[name] = h5py.SoftLink("/way/secret")


def external_storage(file: h5py.File, name: str, other: Path) -> None:
    file.create_dataset(name, (4, 3), "<f4", external=[(str(other), 0, 48)])


def virtual(file: h5py.File, name: str, other: Path) -> None:
    layout = h5py.VirtualLayout((4, 3), "<f4")
    layout[:] = h5py.VirtualSource(str(other), "secret", (4, 3))
    file.create_virtual_dataset(name, layout)


def plugin(file: h5py.File, name: str, other: Path) -> None:
    """A data set whose filter HDF5 would look for in HDF5_PLUGIN_PATH."""
    settings = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    settings.set_chunk((4, 3))
    settings.set_filter(32015, h5py.h5z.FLAG_OPTIONAL, (1,))
    parent, _, last = name.rpartition("/")
    group = file.require_group(parent) if parent else file
    space = h5py.h5s.create_simple((4, 3))
    made = h5py.h5d.create(group.id, last.encode(), h5py.h5t.IEEE_F32LE, space, settings)
    h5py.Dataset(made)[...] = ONES


POINTERS: dict[str, tuple[Callable[[h5py.File, str, Path], None], str]] = {
    "external link": (external_link, "is a link to another file, '.*other.h5'"),
    "link to a link": (link_to_link, "is a link to another file, '.*other.h5'"),
    "external storage": (external_storage, r"refers to other files \(external storage\)"),
    "virtual data set": (virtual, r"refers to other files \(a virtual data set\)"),
    "plugin": (plugin, "is packed by filter 32015, which HDF5 would load as a plugin"),
}


@pytest.fixture
def other(tmp_path: Path) -> Path:
    path = tmp_path / "other.h5"
    with h5py.File(path, "w") as file:
        file["secret"] = ONES
    return path


@pytest.mark.parametrize("kind", POINTERS)
def test_weights_and_states(kind: str, other: Path, tmp_path: Path) -> None:
    make, message = POINTERS[kind]
    weights = tmp_path / "w.h5"
    with h5py.File(weights, "w") as file:
        file["data/whole/0"] = ONES
        file.create_group("data/l")
        make(file, "data/l/0", other)
    with pytest.raises(RoasteryError, match=message):
        read_weights(weights)
    for name in ("history/0", "iter", "learned_net", "extra/13001"):
        state = tmp_path / f"{name.replace('/', '_')}.h5"
        with h5py.File(state, "w") as file:
            for group in ("history", "extra"):
                file.create_group(group)
            if name != "iter":
                file["iter"] = np.int32([1])
            make(file, name, other)
        with pytest.raises(
            RoasteryError, match=f"({message})|is not an integer|not a string|no numbers"
        ):
            read_state(state)


def test_the_loader_of_plugins_is_not_asked(
    other: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file's filter finds no library, even where the environment names a folder of them."""
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "libfilter.so").write_bytes(b"no library")
    monkeypatch.setenv("HDF5_PLUGIN_PATH", str(tmp_path / "plugins"))
    with h5py.File(tmp_path / "w.h5", "w") as file:
        plugin(file, "data/l/0", other)
    with pytest.raises(RoasteryError, match="h5repack"):
        read_weights(tmp_path / "w.h5")


def test_data_layers(other: Path, tmp_path: Path) -> None:
    """Each in turn is the file of an HDF5Data layer; nothing else of it differs."""
    net = (
        'layer {{ name: "d" type: "HDF5Data" top: "x" hdf5_data_param {{ source: "{0}.txt" '
        "batch_size: 2 }} }}"
    )
    names = {kind.replace(" ", "_"): kind for kind in POINTERS}
    for name, kind in names.items():
        with h5py.File(tmp_path / f"{name}.h5", "w") as file:
            POINTERS[kind][0](file, "x", other)
        (tmp_path / f"{name}.txt").write_text(f"{name}.h5\n")
        (tmp_path / f"{name}.prototxt").write_text(net.format(name))
    with h5py.File(tmp_path / "inside.h5", "w") as file:
        file["deep/data"] = ONES
        file["way"] = h5py.SoftLink("/deep")
        file["x"] = h5py.SoftLink("way/./data")
    (tmp_path / "inside.txt").write_text("inside.h5\n")
    (tmp_path / "inside.prototxt").write_text(net.format("inside"))
    commands = [["time", f"--model={name}.prototxt"] for name in (*names, "inside")]
    *refused, allowed = run_measured(commands, tmp_path)
    for kind, outcome in zip(POINTERS, refused, strict=True):
        assert outcome.code == 1
        assert f"cannot read HDF5 file '{kind.replace(' ', '_')}.h5'" in outcome.err
        assert "hint: " in outcome.err
    assert allowed.code == 0, allowed.err


@pytest.mark.parametrize(
    "name, value, message",
    [
        ("data/l", ONES, "'/data/l' is a data set; a layer's group of data sets was expected"),
        ("data/l/0", np.dtype("f4"), "'/data/l/0' is neither"),
        ("data/l/0", h5py.SoftLink("/nowhere"), "the link '0' of '/data/l' leads nowhere"),
        ("data/l/0", h5py.Empty("f4"), "holds no numbers"),
        ("data/l/0", np.zeros(2, complex), "holds no numbers"),
        ("data", ONES, "it has no group /data"),
        ("diff", ONES, "/diff is no group"),
    ],
)
def test_members_of_wrong_kinds(name: str, value: object, message: str, tmp_path: Path) -> None:
    """No layer is passed over because it is not what it should be."""
    path = tmp_path / "w.h5"
    with h5py.File(path, "w") as file:
        if name != "data":
            file["data/other/0"] = ONES
        file[name] = value
    with pytest.raises(RoasteryError, match=message):
        read_weights(path)


def test_links_in_circles(tmp_path: Path) -> None:
    path = tmp_path / "w.h5"
    with h5py.File(path, "w") as file:
        file["data/l/0"] = h5py.SoftLink("/data/l/1")
        file["data/l/1"] = h5py.SoftLink("/data/l/0")
    with pytest.raises(RoasteryError, match="lead in circles"):
        read_weights(path)
    with h5py.File(path, "w") as file:  # 2 ^ 32 paths through 32 groups
        group = file.create_group("data")
        for _ in range(32):
            inner = group.create_group("a")
            group["b"] = inner
            group = inner
        group["0"] = ONES
    with pytest.raises(RoasteryError, match="its groups hold each other"):
        read_weights(path)


def bombs(folder: Path) -> None:
    """Small files, each of which once took gigabytes."""
    claims = {
        "fill": {"shape": (1 << 30,), "dtype": "<f4", "chunks": (1 << 20,)},
        "chunk": {
            "shape": (4,), "dtype": "<f4", "chunks": (1 << 28,), "maxshape": (None,),
            "compression": 1,
        },
        "contiguous": {"shape": (1 << 34,), "dtype": "<f4"},
    }  # fmt: skip
    for name, options in claims.items():
        with h5py.File(folder / f"{name}.h5", "w") as file:
            file.create_dataset("x", **options)
            file["data/l/0"] = file["x"]
    packer = zlib.compressobj(1)
    packed = b"".join(packer.compress(bytes(1 << 24)) for _ in range(40)) + packer.flush()
    with h5py.File(folder / "inflating.h5", "w") as file:
        made = file.create_dataset("x", (16,), "<f4", chunks=(16,), compression=1)
        made.id.write_direct_chunk((0,), packed)
        file["data/l/0"] = made
    packed = zlib.compress(bytes(1 << 24), 1)
    with h5py.File(folder / "gzip.h5", "w") as file:
        made = file.create_dataset("x", (10 << 24,), "u1", chunks=(1 << 24,), compression=1)
        for chunk in range(10):
            made.id.write_direct_chunk((chunk << 24,), packed)
        file["data/l/0"] = made
    with h5py.File(folder / "often.h5", "w") as file:
        file["x"] = np.zeros(1 << 20, np.float32)
        for number in range(400):
            file[f"data/l/{number}"] = file["x"]


def test_small_files_take_little_memory(tmp_path: Path) -> None:
    bombs(tmp_path)
    names = ("fill", "gzip", "chunk", "contiguous", "inflating", "often")
    for name in names:
        assert os.path.getsize(tmp_path / f"{name}.h5") < 6 << 20
        (tmp_path / f"{name}.txt").write_text(f"{name}.h5\n")
        (tmp_path / f"{name}.prototxt").write_text(
            f'layer {{ name: "d" type: "HDF5Data" top: "x" hdf5_data_param '
            f'{{ source: "{name}.txt" batch_size: 2 }} }}'
        )
    (tmp_path / "net.prototxt").write_text(
        'layer { name: "x" type: "Input" top: "x" input_param { shape { dim: 1 dim: 2 } } }\n'
        'layer { name: "l" type: "InnerProduct" bottom: "x" top: "y" '
        "inner_product_param { num_output: 2 } }\n"
    )
    of_data = [["time", f"--model={name}.prototxt", "--iterations=1"] for name in names[:-1]]
    of_weights = [["test", "--model=net.prototxt", f"--weights={name}.h5"] for name in names]
    for words, outcome in zip(
        [*of_data, *of_weights], run_measured([*of_data, *of_weights], tmp_path), strict=True
    ):
        assert outcome.code == 1, words
        assert "Traceback" not in outcome.err and "error: " in outcome.err
        assert outcome.mebibytes < 700, (words, outcome.err)


def test_what_users_have_is_read(tmp_path: Path) -> None:
    """Compressed, chunked, of other number types, linked inside of the file."""
    path = tmp_path / "w.h5"
    with h5py.File(path, "w") as file:
        group = file.create_group("data/l")
        group.create_dataset("0", data=ONES, compression="gzip", shuffle=True, fletcher32=True)
        group.create_dataset("1", data=ONES.astype("<f8"), compression="lzf")
        group.create_dataset("2", data=ONES.astype("u1"), chunks=(1, 3), maxshape=(None, 3))
        group["3"] = h5py.SoftLink("/data/l/0")
        group.create_dataset("4", data=np.zeros(4 << 20, np.float32), compression="gzip")
    (layer,) = read_weights(path)
    assert [blob.shape for blob in layer.blobs] == [(4, 3)] * 4 + [(4 << 20,)]
    assert all((blob == 1).all() for blob in layer.blobs[:4])


def test_chunks_that_nobody_wrote(tmp_path: Path) -> None:
    """HDF5 takes 6 kB for every chunk of one read, stored or not; these files have 2 kB."""
    (tmp_path / "n.prototxt").write_text(
        'layer { name: "d" type: "DummyData" top: "d" '
        "dummy_data_param { shape { dim: 1 dim: 9 } } }"
        'layer { name: "l" type: "InnerProduct" bottom: "d" top: "l" '
        "inner_product_param { num_output: 1 bias_term: false } }"
    )
    for name, count in (("some", 250_000), ("many", 300_000)):
        with h5py.File(tmp_path / f"{name}.h5", "w") as file:
            file.create_dataset("data/l/0", (count,), "<f4", chunks=(1,))
    commands = [
        ["test", "--model=n.prototxt", f"--weights={name}.h5", "--iterations=1"]
        for name in ("many", "some")
    ]
    many, some = run_measured(commands, tmp_path)
    assert many.code == 1 and "claims 300000 chunks, which is more than the file can" in many.err
    assert some.code == 1 and "its shape is 250000 there" in some.err
    assert some.mebibytes < 200


def test_many_small_chunks_are_read_part_by_part(tmp_path: Path) -> None:
    values = np.arange(3 * 71 * 67, dtype=np.float32).reshape(3, 71, 67)
    for chunks in ((1, 1, 1), (2, 1, 3), (3, 71, 1), (1, 2, 67)):
        with h5py.File(tmp_path / "w.h5", "w") as file:
            file.create_dataset("data/l/0", data=values, chunks=chunks)
        (layer,) = read_weights(tmp_path / "w.h5")
        np.testing.assert_array_equal(layer.blobs[0], values)


def test_one_number_in_a_chunk_that_unpacks_to_much(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "s.h5", "w") as file:
        file.create_group("history")
        file.create_dataset("iter", (1,), "<i4", chunks=(1 << 26,), maxshape=(None,), compression=9)
    with pytest.raises(RoasteryError, match="has 4 bytes in chunks of 268435456"):
        read_state(tmp_path / "s.h5")
