"""Layers as groups of an HDF5 file: which group a layer's name leads to, and back.

A group is called like its layer, as Caffe writes it; slashes in a name make groups in groups.
A name that HDF5 cannot tell from another (``b/`` from ``b``, a second ``ip`` from the first) or
would lead elsewhere (``/a``) or nowhere (``.``, no name) gets a group of some free name, with an
attribute that says the layer's name and its number among the layers of that name. Caffe passes
over such groups. It writes no attributes, so that its files are read as they are.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from ir.errors import RoasteryError
from roastery.files.h5py_later import h5py

LAYER = "layer"
"""The attribute: JSON such as ``{"name": "ip", "number": 2}``."""

DEEPEST = 32
"""How many slashes a name may have that groups in groups are read for."""

_LONGEST = 60_000  # bytes of a name or an attribute: HDF5 keeps either in 64 KiB


def group_paths(names: Sequence[str], *, stores: Sequence[bool]) -> list[tuple[str, str | None]]:
    """For each layer the path of its group and the attribute, if it needs one; "" for no group.

    Args:
        names: of all layers in order. stores: whether the layer has blobs; one that has none
            needs no group that it could only have under another name.
    """
    taken: set[str] = set()
    for name in names:
        if _is_plain(name):
            taken.update(_above(name))
            taken.add(name)
    stored = {name for name, bears in zip(names, stores, strict=True) if bears}
    count: Counter[str] = Counter()
    result: list[tuple[str, str | None]] = []
    for name, bears in zip(names, stores, strict=True):
        count[name] += bears
        if _is_plain(name) and count[name] <= 1 and not _in_the_way(name, stored):
            result.append((name, None))
        elif not bears:
            result.append(("", None))
        else:
            path = _free(name, count[name], taken)
            taken.add(path)
            result.append((path, _attribute(name, count[name])))
    return result


def _attribute(name: str, number: int) -> str:
    text = json.dumps({"name": name, "number": number})
    if len(text) >= _LONGEST:
        raise RoasteryError(
            f"HDF5 cannot hold the name of layer '{name[:40]}...', of {len(name)} characters",
            hint="write a .caffemodel that is not HDF5, or give the layer a shorter name",
        )
    return text


def layer_of(group: h5py.Group, path: str, file: str) -> tuple[str, int]:
    """Name and number of the layer of a group at ``path`` below /data.

    Raises:
        RoasteryError: the attribute is damaged.
    """
    if LAYER not in group.attrs:
        return path, 1
    found: Any = None
    if group.attrs.get_id(LAYER).get_storage_size() <= _LONGEST:
        try:
            found = json.loads(group.attrs[LAYER])
        except (ValueError, TypeError, RecursionError):
            found = None
    name, number = (found.get("name"), found.get("number")) if isinstance(found, dict) else (0, 0)
    if not isinstance(name, str) or type(number) is not int or number < 1:
        raise RoasteryError(f"{file}: group {group.name} does not say which layer it is of")
    return name, number


def normal_path(name: str) -> str:
    """Where HDF5 itself puts a group of this name: Caffe's file of a layer ``b/`` has ``b``."""
    parts = [part for part in name.split("/") if part not in ("", ".")]
    return ("/" if name.startswith("/") else "") + "/".join(parts)


def _is_plain(name: str) -> bool:
    """Whether HDF5 makes a group of exactly this name."""
    if not name or "\0" in name or name.count("/") > DEEPEST or name != normal_path(name):
        return False
    try:
        return len(name.encode()) < _LONGEST and not name.startswith("/")
    except UnicodeEncodeError:  # bytes that are no text
        return False


def _above(name: str) -> Iterable[str]:
    """The groups that a group of this name lies in."""
    parts = name.split("/")
    return ("/".join(parts[:end]) for end in range(1, len(parts)))


def _in_the_way(name: str, stored: set[str]) -> bool:
    """Whether a group on the way is called like a blob of another layer: ``ip/0`` beside ``ip``."""
    parts = name.split("/")
    return any(
        part.isdecimal() and "/".join(parts[:end]) in stored
        for end, part in enumerate(parts)
        if end
    )


def _free(name: str, number: int, taken: set[str]) -> str:
    """A name for a group that none has; it shows whose it is, as far as it can."""
    readable = "".join(c if c.isascii() and (c.isalnum() or c in "_-") else "_" for c in name)[:64]
    path, count = f"{readable}@{number}", number
    while path in taken:
        count += 1
        path = f"{readable}@{count}"
    return path
