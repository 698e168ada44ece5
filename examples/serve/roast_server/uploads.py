"""What a request carries: pictures or arrays, by its content type and its first bytes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field

import numpy as np
from fastapi import Request
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from .engine import Port
from .json_arrays import arrays_from_json
from .npy_arrays import MAGIC, array_from_npy
from .problems import Problem

_RAW = ("application/octet-stream", "application/x-npy", "application/x-www-form-urlencoded")
"""The last is what curl --data-binary says where nobody says it."""


@dataclass
class Upload:
    """``pictures``: (name, the file's bytes) each; else ``arrays`` by input."""

    pictures: list[tuple[str, bytes]] = field(default_factory=list)
    arrays: dict[str, np.ndarray] = field(default_factory=dict)


async def parts_of(request: Request, body: bytes, most_parts: int) -> list[tuple[str, str, bytes]]:
    """(field, file name, bytes) of multipart/form-data, which stays in memory."""

    async def stream() -> AsyncIterator[bytes]:
        yield body

    class InMemory(MultiPartParser):
        spool_max_size = len(body) + 1  # nothing goes to disk

    parser = InMemory(
        request.headers, stream(), max_files=most_parts, max_fields=0, max_part_size=0
    )
    try:
        form = await parser.parse()
    except MultiPartException as error:
        raise _bad(f"multipart/form-data: {error.message}") from None
    except (ValueError, KeyError, LookupError) as error:
        raise _bad(f"multipart/form-data is damaged: {error}"[:200]) from None
    found = []
    for name, value in form.multi_items():
        if isinstance(value, UploadFile):
            found.append((_text(name), _text(value.filename or ""), await value.read()))
    await form.close()
    return found


def _text(name: str) -> str:
    """As an answer can hold it: the client chooses by which code its names are read."""
    return name.encode("utf-8", "backslashreplace").decode()


def read_upload(
    kind: str,
    body: bytes,
    parts: list[tuple[str, str, bytes]],
    inputs: Mapping[str, Port],
    max_depth: int,
    most_numbers: int | None,
) -> Upload:
    """``kind``: the content type; ``parts``: of multipart/form-data; ``most_numbers``: that the
    inputs may hold, None: any number. Raises Problem."""
    if kind == "application/json":
        return Upload(arrays=arrays_from_json(body, inputs, max_depth, most_numbers))
    if kind == "multipart/form-data":
        return _from_parts(parts)
    if kind and kind not in _RAW and not kind.startswith("image/"):
        raise Problem(
            415, "type", f"Content-Type is {kind!r:.80}",
            "image/jpeg and others, application/x-npy, application/json, multipart/form-data",
        )  # fmt: skip
    if not body:
        raise _bad("the body is empty")
    if not body.startswith(MAGIC):
        return Upload([("", body)])
    if len(inputs) != 1:
        names = ", ".join(inputs)
        raise _bad(f"the net has {len(inputs)} inputs ({names}): send each as a part of a form")
    return Upload(arrays={next(iter(inputs)): array_from_npy(body)})


def _from_parts(parts: list[tuple[str, str, bytes]]) -> Upload:
    upload = Upload()
    for name, file, data in parts:
        if not data.startswith(MAGIC):
            upload.pictures.append((file, data))
        elif name in upload.arrays:
            raise _bad(f"two parts are called {name!r:.60}")
        else:
            upload.arrays[name] = array_from_npy(data)
    if bool(upload.pictures) == bool(upload.arrays):
        raise _bad("either pictures or .npy files are expected, each as a file of the form")
    return upload


def _bad(error: str) -> Problem:
    hint = "curl -F image=@cat.jpg, or curl -F data=@x.npy, where data is an input's name"
    return Problem(400, "form", error, hint)
