"""The bytes of a request, as many as are allowed, in the time that is allowed."""

from __future__ import annotations

import asyncio

from fastapi import Request
from starlette.requests import ClientDisconnect

from .problems import Problem

_PATIENCE = 4
"""So many times the limit is taken of a body that is too long."""


async def read_body(request: Request, most: int, timeout: float) -> bytes:
    """Raises Problem for a body that is too long, too slow, packed or broken off."""
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise Problem(
            415, "encoding", "the body is compressed", "send it as it is, without Content-Encoding"
        )
    said = request.headers.get("content-length", "")
    claimed = int(said) if said.isascii() and said.isdecimal() and len(said) < 18 else 0
    try:
        async with asyncio.timeout(timeout):
            body = await _read(request, most, claimed)
    except TimeoutError:
        raise Problem(
            408, "slow", f"the body did not arrive within {timeout:g} s", "send it faster",
            {"Connection": "close"},
        ) from None  # fmt: skip
    except ClientDisconnect:  # nobody sees the answer, but metrics count what it is
        raise Problem(400, "gone", "the client went away before its body was there") from None
    if body is None:
        raise _too_long(most)
    return body


async def _read(request: Request, most: int, claimed: int) -> bytes | None:
    """None for one that is too long. Some of it is taken and dropped: who still sends when the
    connection is closed does not see the answer."""
    parts: list[bytes] = []
    count, long = 0, claimed > most
    async for part in request.stream():
        count += len(part)
        long = long or count > most
        if long:
            parts.clear()
            if count > _PATIENCE * most:
                break
        else:
            parts.append(part)
    return None if long else b"".join(parts)


def _too_long(most: int) -> Problem:
    return Problem(
        413, "body", f"the body is longer than {most} bytes",
        "send less at once, or start the server with --max-body", {"Connection": "close"},
    )  # fmt: skip
