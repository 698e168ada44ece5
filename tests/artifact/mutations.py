"""Artifacts that nobody wrote: damaged, lying and hostile ones, each told by its number."""

from __future__ import annotations

import io
import json
import struct
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from runtime.artifact.container import MANIFEST, WEIGHTS, archive_seal, digest
from runtime.artifact.directory import SEAL_BYTES, read_directory
from tests.fuzz import mutate_json, mutate_text

_CENTRAL = struct.Struct("<4s6H3I5H2I")
_LOCAL = struct.Struct("<4s5H3I2H")
_END = struct.Struct("<4s4H2IH")
_NUMBERS = (0, 1, 2, 8, 9, 12, 20, 45, 93, 0x7F, 0xFF, 0x7FFF, 0xFFFE, 0xFFFF)
_LARGE = (*_NUMBERS, 1 << 20, 1 << 26, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF)
_NAMES = (
    "../graph.txt", "/graph.txt", "a/../../g", "C:graph.t", "graph\\t.tx", "graph.tx\0",
    "manifest.json", "weights.safetensors", "./graph.tx", ".graph.txt", "graph.txt/", "\udcff" * 3,
)  # fmt: skip


@dataclass(frozen=True)
class Mutation:
    """``refused``: whether nothing else will do. Else it may be one that does the same, or less."""

    kind: str
    data: bytes
    refused: bool


def mutation(number: int, whole: bytes) -> Mutation:
    """One of a sealed artifact."""
    rng = Random(number)
    make = _KINDS[number % len(_KINDS)]
    data, refused = make(whole, rng)
    return Mutation(make.__name__.strip("_"), data, refused and data != whole)


def _flipped(whole: bytes, rng: Random) -> tuple[bytes, bool]:
    """A bit anywhere."""
    at = rng.randrange(len(whole))
    return whole[:at] + bytes([whole[at] ^ 1 << rng.randrange(8)]) + whole[at + 1 :], True


def _another_byte(whole: bytes, rng: Random) -> tuple[bytes, bool]:
    at = rng.randrange(len(whole))
    return whole[:at] + bytes([rng.randrange(256)]) + whole[at + 1 :], True


def _cut(whole: bytes, rng: Random) -> tuple[bytes, bool]:
    """The end or the beginning is missing, or something in between."""
    first, last = sorted(rng.randrange(len(whole) + 1) for _ in range(2))
    return rng.choice((whole[:first], whole[last:], whole[:first] + whole[last:])), True


def _longer(whole: bytes, rng: Random) -> tuple[bytes, bool]:
    at = rng.choice((0, len(whole), rng.randrange(len(whole))))
    return whole[:at] + rng.randbytes(rng.choice((1, 2, 22, 100))) + whole[at:], True


def _moved(whole: bytes, rng: Random) -> tuple[bytes, bool]:
    """A piece lies over another one."""
    length = rng.choice((1, 4, 30, 46, 500))
    source, target = (rng.randrange(len(whole) - length) for _ in range(2))
    piece = whole[source : source + length]
    return whole[:target] + piece + whole[target + length :], True


def _directory(whole: bytes, rng: Random) -> tuple[bytes, bool]:
    """Fields of the directory, of a member's header, of both, or of the end say something else."""
    data = bytearray(whole)
    for _ in range(rng.choice((1, 1, 2))):
        _say(data, rng)
    return _sealed(bytes(data)), False


def _say(data: bytearray, rng: Random) -> None:
    end = len(data) - _END.size - SEAL_BYTES
    start = _END.unpack_from(data, end)[6]
    entries = []
    at = start
    while at < end and data[at : at + 4] == b"PK\1\2":
        entries.append(at)
        fields = _CENTRAL.unpack_from(data, at)
        at += _CENTRAL.size + fields[10] + fields[11] + fields[12]
    if not entries or rng.random() < 0.1:
        fields = list(_END.unpack_from(data, end))
        field = rng.randrange(1, 8)
        fields[field] = _other(fields[field], rng, 4 if field in (5, 6) else 2)
        _END.pack_into(data, end, *fields)
        return
    at = rng.choice(entries)
    fields = list(_CENTRAL.unpack_from(data, at))
    header = fields[16]
    both = rng.random() < 0.7 and header + _LOCAL.size <= start
    if rng.random() < 0.15:
        name = rng.choice(_NAMES).encode(errors="surrogateescape")
        name = name[: fields[10]].ljust(fields[10], b"x")
        data[at + _CENTRAL.size : at + _CENTRAL.size + len(name)] = name
        if both:
            data[header + _LOCAL.size : header + _LOCAL.size + len(name)] = name
        return
    field = rng.randrange(1, 17)
    wide = field in (7, 8, 9, 15, 16)
    fields[field] = _other(fields[field], rng, 4 if wide else 2)
    if field == 15 and rng.random() < 0.5:
        fields[field] = rng.choice((0o120777, 0o40755, 0o20666, 0o104755)) << 16
    _CENTRAL.pack_into(data, at, *fields)
    if both and 2 <= field <= 11:
        own = list(_LOCAL.unpack_from(data, header))
        own[field - 1] = fields[field]
        _LOCAL.pack_into(data, header, *own)


def _other(value: int, rng: Random, nbytes: int) -> int:
    near = value + rng.choice((-1, 1, -30, 46, 64))
    return rng.choice((near, rng.choice(_LARGE))) % (1 << 8 * nbytes)


def _sealed(data: bytes) -> bytes:
    """With a seal that fits, where the file is one that can have it."""
    try:
        directory = read_directory(memoryview(data), 1 << 16)
    except ValueError:
        return data
    seal = archive_seal(memoryview(data), directory.entries, directory.end)
    return data[:-SEAL_BYTES] + b"sha256 " + seal.encode()


def _rewritten(whole: bytes, rng: Random) -> tuple[bytes, bool]:
    """Members are added, left out or there twice, in another order or packed in another way."""
    members = _members(whole)
    names = list(members)
    what = rng.randrange(6)
    if what == 0:
        del members[rng.choice(names)]
    elif what == 1:
        members[rng.choice(("extra", "cpu/x.so", "../x", "a" * 60_000))] = b"x" * rng.randrange(99)
    elif what == 2:
        members[rng.choice(names)] = b"\0" * rng.choice((0, 1000, 1 << 20, 80 << 20))
    elif what == 3:
        return _zipped(members, rng, twice=rng.choice(names)), True
    elif what == 4:
        first, second = rng.choice(names), rng.choice(names)
        members[first], members[second] = members[second], members[first]
    else:
        deep, wide = b"[" * (1 << 20), b"[" + b"[]," * rng.choice((10**5, 3 * 10**5, 10**7)) + b"1]"
        members[rng.choice(names)] = rng.choice((deep, wide))
    if rng.random() < 0.5:
        members = _fitting(members)
    return _zipped(members, rng), what in (1, 2) and MANIFEST not in members


def _forged(whole: bytes, rng: Random) -> tuple[bytes, bool]:
    """The contents of a member are others, and all checksums fit."""
    members = _members(whole)
    name = rng.choice(sorted(members))
    for _ in range(rng.choice((1, 1, 2))):
        members[name] = _changed(name, members[name], rng)
    return _zipped(_fitting(members), rng), False


def _changed(name: str, content: bytes, rng: Random) -> bytes:
    if name.endswith(".json"):
        return mutate_json.mutate(content, rng)
    if name.endswith(".txt"):
        text = content.decode("utf-8", "surrogateescape")
        changed = rng.choice(mutate_text.MUTATORS)(text, rng)
        return changed.encode("utf-8", "surrogateescape")
    if name == WEIGHTS and rng.random() < 0.8:
        size = int.from_bytes(content[:8], "little")
        header = mutate_json.mutate(content[8 : 8 + size], rng)
        length = rng.choice((len(header), len(header), 0, 1 << 24, 1 << 63))
        return length.to_bytes(8, "little") + header + content[8 + size :]
    return _flipped(content, rng)[0] if content else b"x"


def _version(whole: bytes, rng: Random) -> tuple[bytes, bool]:
    """Of a format that there is not, or not for this."""
    members = _members(whole)
    manifest = json.loads(members[MANIFEST])
    manifest["format"] = rng.choice((0, -1, 3, 4, 10**30, "2", None, [2], 2.0, True))
    members[MANIFEST] = json.dumps(manifest).encode()
    return _zipped(members, rng), True


def _numbers(whole: bytes, rng: Random) -> tuple[bytes, bool]:
    """JSON of numbers that are too long, too large, none, or too deep in each other."""
    members = _members(whole)
    name = rng.choice([name for name in members if name.endswith(".json")])
    text = members[name].decode()
    places = [at for at, letter in enumerate(text) if letter.isdigit()]
    at = rng.choice(places) if places else 0
    odd = rng.choice(
        (
            "1" * 5000,
            "9" * 400_000,
            "1e400",
            "NaN",
            "-Infinity",
            "1e-400",
            "[" * 50_000,
            '{"":' * 9999,
        )
    )
    members[name] = (text[:at] + odd + text[at + 1 :]).encode()
    return _zipped(_fitting(members), rng), False


_KINDS: tuple[Callable[[bytes, Random], tuple[bytes, bool]], ...] = (
    _flipped, _another_byte, _cut, _longer, _moved, _directory, _directory, _rewritten, _forged,
    _forged, _version, _numbers,
)  # fmt: skip


def _members(whole: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _fitting(members: dict[str, bytes]) -> dict[str, bytes]:
    """With the sizes and checksums of what is there."""
    if len(members.get(MANIFEST, b"")) > 1 << 20:
        return members
    try:
        manifest = json.loads(members[MANIFEST])
        manifest["members"] = {
            name: {"size": len(data), "sha256": digest(data)}
            for name, data in members.items()
            if name != MANIFEST
        }
        return members | {MANIFEST: json.dumps(manifest).encode()}
    except (ValueError, KeyError, TypeError, RecursionError):
        return members


def _zipped(members: dict[str, bytes], rng: Random, twice: str = "") -> bytes:
    stream = io.BytesIO()
    kind = rng.choice((zipfile.ZIP_DEFLATED,) * 6 + (zipfile.ZIP_STORED, zipfile.ZIP_BZIP2))
    with zipfile.ZipFile(stream, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data, zipfile.ZIP_STORED if name == WEIGHTS else kind)
        if twice:
            archive.NameToInfo.clear()
            archive.writestr(twice, members[twice])
    return stream.getvalue()
