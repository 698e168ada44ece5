"""Damaged, forged and foreign files: an error that says so, and nothing else."""

from __future__ import annotations

import json
import random
import re
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from fake_cuda import FakeCuda

from ir.errors import RoasteryError
from runtime.artifact import Artifact, ArtifactError, load
from runtime.artifact.archive_writer import write_archive
from runtime.artifact.container import CODE, MANIFEST, MOST_VALUES, PLAN, WEIGHTS, digest

Write = Callable[..., Path]


def members(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def rewrite(path: Path, contents: dict[str, bytes]) -> None:
    """Any zip at all."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in contents.items():
            archive.writestr(
                name,
                data,
                zipfile.ZIP_STORED if name.startswith("weights") else zipfile.ZIP_DEFLATED,
            )


def forge(path: Path, changes: dict[str, bytes | None], manifest: dict | None = None) -> Path:
    """The artifact with other members and a manifest whose checksums fit them."""
    contents = members(path)
    stated = json.loads(contents.pop(MANIFEST))
    for name, data in changes.items():
        if data is None:
            del contents[name]
        else:
            contents[name] = data
    stated["members"] = {
        name: {"size": len(data), "sha256": digest(data)} for name, data in contents.items()
    }
    stated.update(manifest or {})
    rewrite(path, {MANIFEST: json.dumps(stated).encode(), **contents})
    return path


def forge_json(path: Path, name: str, change: Callable[..., None]) -> Path:
    data = json.loads(members(path)[name])
    change(data)
    return forge(path, {name: json.dumps(data).encode()})


def test_two_writes_give_the_same_bytes(write: Write) -> None:
    one = write("one.roast").read_bytes()
    assert write("two.roast").read_bytes() == one
    assert b"one.roast" not in one


def test_forging_keeps_what_it_does_not_change(write: Write) -> None:
    load(forge(write(), {}), "cpu")(data=np.zeros(50))


def test_every_truncation_is_refused(write: Write) -> None:
    path = write()
    data = path.read_bytes()
    for length in [*range(0, len(data), 97), len(data) - 1]:
        path.write_bytes(data[:length])
        with pytest.raises(ArtifactError, match=r"tiny\.roast: "):
            Artifact.load(path)


def test_flipped_bits_are_found(write: Write) -> None:
    """A flip is refused, or stands where it changes nothing (a date in the zip's entries)."""
    path = write()
    data = path.read_bytes()
    whole = members(path)
    with zipfile.ZipFile(path) as archive:
        starts = {info.filename: info.header_offset + 30 for info in archive.infolist()}
    inside = [start + len(name) + 2 for name, start in starts.items()]
    places = random.Random(0)
    for at in inside + [places.randrange(len(data)) for _ in range(400)]:
        bit = 1 << places.randrange(8)
        path.write_bytes(data[:at] + bytes([data[at] ^ bit]) + data[at + 1 :])
        try:
            with Artifact.load(path) as artifact:
                read = {name: artifact.read(name) for name in whole}
        except ArtifactError:
            continue
        assert read == whole
        assert at not in inside


@pytest.mark.parametrize(
    "name", ["../evil", "/etc/evil", "a/../../evil", "a\\evil", "C:evil", "a//b", ".hidden", "ü"]
)
def test_names_that_lead_elsewhere_are_refused(write: Write, name: str) -> None:
    path = forge(write(), {name: b"data"})
    with pytest.raises(ArtifactError, match="forbidden name"):
        Artifact.load(path)


def test_a_name_cut_by_a_zero_byte_is_refused(write: Write) -> None:
    path = forge(write(), {"graph.txtXevil": b"data"})
    path.write_bytes(path.read_bytes().replace(b"graph.txtXevil", b"graph.txt\0evil"))
    with pytest.raises(ArtifactError, match="forbidden name"):
        Artifact.load(path)


def test_unknown_and_missing_members(write: Write) -> None:
    path = write()
    contents = members(path)
    rewrite(path, {**contents, "extra.txt": b"extra"})
    with pytest.raises(ArtifactError, match=r"extra\.txt is not in the manifest"):
        Artifact.load(path)
    for name in contents:
        rewrite(path, {key: data for key, data in contents.items() if key != name})
        with pytest.raises(ArtifactError, match=f"{re.escape(name)} is missing"):
            Artifact.load(path)
    with pytest.raises(ArtifactError, match=r"graph.txt is missing"):
        Artifact.load(forge(write(), {"graph.txt": None}))


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_member_that_is_there_twice(write: Write) -> None:
    path = write()
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("graph.txt", b"graph other {\n}\n")
    with pytest.raises(ArtifactError, match=r"graph.txt is there twice"):
        Artifact.load(path)


def test_a_bomb_is_not_unpacked(write: Write) -> None:
    path = forge(write(), {"code.json": bytes(70 << 20)})
    assert path.stat().st_size < 1 << 20
    with pytest.raises(ArtifactError, match="unpacks to 73400320 bytes, too many"):
        Artifact.load(path)


def test_other_compression_is_refused(write: Write) -> None:
    path = write()
    contents = members(path)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as archive:
        for name, data in contents.items():
            archive.writestr(name, data)
    with pytest.raises(ArtifactError, match="compressed by method 14"):
        Artifact.load(path)


def test_a_later_format_says_to_update(write: Write) -> None:
    path = forge(write(), {}, {"format": 3, "versions": {"roastery": "9.1"}, "targets": 5})
    with pytest.raises(ArtifactError, match=r"Roastery 9.1 in format 3(.|\n)*update Roastery"):
        Artifact.load(path)


@pytest.mark.parametrize(
    "manifest",
    [
        {"format": 0},
        {"format": "1"},
        {"versions": {"roastery": 1}},
        {"targets": ["cuda:sm_90; rm"]},
        {"inputs": [{"name": "data", "shape": [-1], "dtype": "f32"}]},
        {"inputs": [{"name": "data", "shape": [2**40, 2**40], "dtype": "f32"}]},
        {"inputs": [{"name": "data", "shape": [1], "dtype": "object"}]},
        {"inputs": [{"name": "x", "shape": [1], "dtype": "f32"}] * 2},
        {"outputs": {}},
        {"name": None},
        {"options": None},
        {"options": []},
        {"options": {"precision": 32}},
        {"options": {"target": "cuda:sm_90"}},
        {"options": {"target": {"processors": -1.5}}},
        {"options": {"passes": [{}], "target": {}}},
    ],
)
def test_malformed_manifests(write: Write, manifest: dict) -> None:
    with pytest.raises(ArtifactError, match="the manifest is malformed"):
        Artifact.load(forge(write(), {}, manifest))


@pytest.mark.parametrize("text", [b"", b"[]", b"{", b"[" * 100_000, b"\xff", b'{"format": 1e999}'])
def test_manifests_that_are_no_json(write: Write, text: bytes) -> None:
    path = write()
    rewrite(path, {**members(path), MANIFEST: text})
    with pytest.raises(ArtifactError, match="the manifest is malformed"):
        Artifact.load(path)


@pytest.mark.parametrize("data", [b"", b"not a zip", bytes(1000), b"PK\x05\x06" + bytes(18)])
def test_files_that_are_no_artifact(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "net.roast"
    path.write_bytes(data)
    with pytest.raises(ArtifactError):
        Artifact.load(path)


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match=r"there is no artifact '.*none\.roast'"):
        load(tmp_path / "none.roast")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda p: p["memory"].update(nbytes=-1), "between: 200 bytes at 0 exceed -1"),
        (lambda p: p["memory"].update(nbytes=1 << 63), "nbytes is too large"),
        (lambda p: p["memory"]["offsets"].__setitem__(4, 8), "at 8 exceed 256, or do not start"),
        (lambda p: p["memory"]["offsets"].__setitem__(4, 256), "at 256 exceed 256"),
        (lambda p: p["memory"]["offsets"].__setitem__(4, None), "step 0 uses a buffer that has no"),
        (lambda p: p["memory"]["offsets"].pop(), "5 buffers have 4 offsets"),
        (lambda p: p["buffers"][4].update(type="f32[100]"), "400 bytes at 0 exceed 256"),
        (lambda p: p["buffers"][4].update(type="f32[10]"), "200 bytes exceed between, f32.10."),
        (lambda p: p["buffers"][4].update(type="f32[1e9]"), "is no type of a tensor"),
        (lambda p: p["buffers"][4].update(type="f32[50]{0,0}"), "is no type of a tensor"),
        (lambda p: p["buffers"][4].update(type="f32[50]{0,0:99}"), "396 bytes at 0 exceed 256"),
        (lambda p: p["buffers"][1].update(type="f32[50]{0,0:2}"), "it is not row-major"),
        (lambda p: p["buffers"][4].update(type=f"f32[{'9' * 40}]"), "is too large"),
        (lambda p: p["buffers"][4].update(type=f"f32[{'1,' * 40}1]"), "is too large"),
        (lambda p: p["buffers"][1].update(type="f32[51]"), "weight 'ip/0' is float32.50,."),
        (lambda p: p["buffers"][0].update(type="f32[51]"), "inputs are not those of the manifest"),
        (lambda p: p["inputs"].pop(0), "step 2 uses a buffer that has no memory"),
        (lambda p: p["inputs"][0].update(name="dta"), "inputs are not those of the manifest"),
        (lambda p: p["inputs"][1].update(name="none"), "there is no weight 'none'"),
        (lambda p: p["inputs"][1].update(role="weight"), "'weight' is no Role"),
        (lambda p: p["outputs"][0].update(buffer=9), "a port's buffer is 9; there are 5"),
        (lambda p: p["steps"][0].update(nbytes=1 << 30), "step 0: 1073741824 bytes exceed w"),
        (lambda p: p["steps"][0].update(nbytes=-1), "step 0: -1 bytes"),
        (lambda p: p["steps"][0].update(target=5), "step 0: a buffer is 5; there are 5"),
        (lambda p: p["steps"][2].update(kernel=1), "step 2: the kernel is 1; there are 1"),
        (lambda p: p["steps"][2].update(kernel=-1), "the kernel is -1"),
        (lambda p: p["steps"][2]["config"].update(num_warps=8), "there is no code for kernel a/ip"),
        (lambda p: p["steps"][2]["config"].update(constants=5), "constants must be tuple"),
        (lambda p: p["steps"][2].update(kernel=True), "kernel must be int, it is True"),
        (lambda p: p["steps"][2].update(grid=[1, 1]), "grid must be"),
        (lambda p: p["steps"][2].update(grid=[1, 1, -1]), "a grid of"),
        (lambda p: p["steps"][2].update(more=1), "be PlanLaunch or HostStep or Copy or Repeat"),
        (lambda p: p["steps"][2]["arguments"].pop(), "3 arguments, 4 are taken"),
        (lambda p: p["steps"][2]["arguments"].__setitem__(0, 12), "12 is no pointer"),
        (lambda p: p["steps"][2]["arguments"].__setitem__(0, {"buffer": -1}), "a buffer is -1"),
        (lambda p: p["steps"][2]["arguments"].__setitem__(2, {"buffer": 0}), "is no i32"),
        (lambda p: p["steps"][2]["arguments"].__setitem__(2, 2**31), "2147483648 is no i32"),
        (lambda p: p["steps"][2]["arguments"].__setitem__(3, "1"), "Ref or PartRef or Moving or"),
        (lambda p: p["steps"][2]["arguments"].__setitem__(3, 1e39), "1e[+]39 is no f32"),
        (lambda p: p["steps"][2]["arguments"].__setitem__(3, float("nan")), "nan is no f32"),
        (lambda p: p["kernels"][0]["parameters"].pop(), "4 arguments, 3 are taken"),
        (lambda p: p["kernels"][0]["parameters"][2].update(kind="struct"), "50 is no struct"),
        (lambda p: p["kernels"].clear(), "the kernel is 0; there are 0"),
        (lambda p: p["kernels"].append(None), "must be Kernel, it is None"),
        (lambda p: p["kernels"][0]["parameters"][2].update(kind="i64"), "the plan gives"),
        (lambda p: p.pop("steps"), "plan must be Plan"),
        (lambda p: (p.update(sizes={"N": 50}), p["buffers"][4].update(type="f32[N]")),
         "its sizes are {'N': 50}, those of the manifest {}"),
        (lambda p: p.pop("sizes"), "sizes must be dict"),
        (lambda p: p["steps"].append({"node": 0, "op": "host_call", "inputs": [], "outputs": []}),
         "calls back to the host: host_call"),
    ],
)  # fmt: skip
def test_forged_plans(
    write: Write, fake_gpu: FakeCuda, change: Callable[[dict], None], message: str
) -> None:
    with pytest.raises(RoasteryError, match=message):
        load(forge_json(write(), "plan.json", change), "cuda")
    assert not fake_gpu.launches


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c[0]["binaries"][1].update(entry="other"), "kernel a/ip .* cannot be launched"),
        (lambda c: c[0]["binaries"][1].update(arguments=["i32"] * 4), "the plan gives"),
        (lambda c: c[0]["binaries"][1].update(target="cpu"), "unknown target"),
        (lambda c: c[0]["binaries"][1].update(cubin="../x"), "../x is missing"),
        (lambda c: c[0]["binaries"][1].update(cubin=5), "5 and None are no names of code"),
        (lambda c: c[0]["binaries"][1].update(num_warps=64), "64 warps"),
        (lambda c: c[0].update(kernel=1), "code 0 is of kernel 1, which is none"),
        (lambda c: c[0].update(binaries=[]), "there is no code for kernel a/ip"),
        (lambda c: c.clear(), "there is no code for kernel a/ip"),
        (lambda c: c.append(7), "code 1 must be _Entry, it is 7"),
    ],
)
def test_forged_code(
    write: Write, fake_gpu: FakeCuda, change: Callable[[list], None], message: str
) -> None:
    with pytest.raises(RoasteryError, match=message):
        load(forge_json(write(), "code.json", change), "cuda")
    assert not fake_gpu.launches


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda p: p.update(arena_bytes=-1), "is no place"),
        (lambda p: p.update(arena_bytes=1 << 63), "too large"),
        (lambda p: p["inputs"].clear(), "the plan has no data 'data'"),
        (lambda p: p["inputs"].update(data=["file", 0]), "is no place"),
        (lambda p: p["steps"][0].update(kernel=99), "the kernel is 99; there are"),
        (lambda p: p["steps"][0].update(grid=[1, 1, -1]), "a grid of"),
        (lambda p: p["steps"][0]["arguments"].pop(), "arguments, 14 are taken"),
        (lambda p: p["steps"][0]["arguments"].__setitem__(0, 12), "12 is no pointer"),
        (lambda p: p["steps"][0]["arguments"].__setitem__(0, ["arena", 1 << 20]), "is no place"),
        (lambda p: p["steps"][0]["arguments"].__setitem__(0, ["arena", 8]), "or do not start"),
        (lambda p: p["steps"][0]["arguments"].__setitem__(0, ["weight", 0, "no"]), "is no place"),
        (lambda p: p["kernels"][0].update(kinds=["pointer"] * 4), "the plan gives"),
        (lambda p: p["kernels"][0]["binaries"][0].update(cubin="../x"), "../x is missing"),
        (lambda p: p["kernels"].append(None), "must be _Kernel"),
    ],
)
def test_forged_plans_of_format_1(
    fake_gpu: FakeCuda,
    data_dir: Path,
    tmp_path: Path,
    change: Callable[[dict], None],
    message: str,
) -> None:
    path = Path(shutil.copy(data_dir / "artifacts" / "v1.roast", tmp_path))
    with pytest.raises(RoasteryError, match=message):
        load(forge_json(path, "plan.json", change), "cuda")
    assert not fake_gpu.launches


@pytest.mark.parametrize(
    ("graph", "message"),
    [
        ("", "is no sound graph"),
        ("graph tiny {\n  size N = 50\n  input %x: f32[N] data\n}\n", "its sizes are {'N': 50}"),
        ("graph tiny {\n}\n", "its inputs are not those of the manifest"),
        ("graph g {\n" + "  %x = fused() {\n" * 5000, "is no sound graph"),
    ],
)
def test_forged_graphs(write: Write, graph: str, message: str) -> None:
    with pytest.raises(ArtifactError, match=message):
        load(forge(write(), {"graph.txt": graph.encode()}), "cpu")


def test_a_graph_that_breaks_the_rules_of_the_ir(write: Write) -> None:
    graph = members(write())["graph.txt"].decode()
    assert "a2" in graph
    with pytest.raises(ArtifactError, match="a9 is read, but there are 3 inputs"):
        load(forge(write(), {"graph.txt": graph.replace("a2", "a9").encode()}), "cpu")


def test_a_graph_that_needs_too_much_memory(write: Write) -> None:
    path = write()
    huge = members(path)["graph.txt"].decode().replace("f32[50]", "f32[50000000000000]")
    with pytest.raises(ArtifactError, match="bytes of memory, the machine has"):
        load(forge(path, {"graph.txt": huge.encode()}), "cpu")


def test_weights_that_do_not_fit(write: Write) -> None:
    good = np.zeros(50, np.float32)
    for weights, message in [
        ({"ip/0": good}, "there is no weight 'sum'"),
        ({"ip/0": good[:7], "sum": good}, "weight 'ip/0' is float32.7,., f32.50. is read"),
        ({"ip/0": good.astype(np.float64), "sum": good}, "weight 'ip/0' is float64"),
    ]:
        with pytest.raises(ArtifactError, match=message):
            load(write(weights=weights), "cpu")
    path = forge(write(), {"weights.safetensors": b"\xff" * 100})
    with pytest.raises(ArtifactError, match=r"weights\.safetensors is malformed"):
        load(path, "cpu")


def test_writing_where_one_cannot(write: Write, tmp_path: Path) -> None:
    with pytest.raises(RoasteryError, match="cannot write"):
        write("no/such/folder/net.roast")
    before = write().read_bytes()
    with pytest.raises(ValueError, match="is no name"):
        write_archive(tmp_path / "evil.roast", {"../evil.py": b""})
    (tmp_path / "evil.roast").unlink()
    assert (tmp_path / "tiny.roast").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["tiny.roast"]
    with pytest.raises(ValueError, match="needs a target"):
        write(cpu=False, plan=None)


@pytest.mark.parametrize("name", [PLAN, CODE, WEIGHTS])
def test_more_values_than_anything_has(write: Write, name: str) -> None:
    """They would take seconds, and memory by the hundred megabytes, before they are refused."""
    digits = np.frombuffer(random.Random(0).randbytes(MOST_VALUES + 1), np.uint8) % 10 + ord("0")
    text = b"[" + b",".join(digits.view("S1").tolist()) + b"]"
    data = len(text).to_bytes(8, "little") + text if name == WEIGHTS else text
    with Artifact.load(forge(write(), {name: data})) as artifact:
        with pytest.raises(ArtifactError, match="2000001 values of JSON; 2000000 are the limit"):
            artifact.weights()
            artifact.plan()
