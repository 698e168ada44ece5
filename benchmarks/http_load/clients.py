"""Clients that each ask again as soon as they are answered."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Load:
    """``seconds``: how long it lasted. ``latencies``: seconds from a request to its answer."""

    seconds: float
    latencies: Sequence[float]


def post(url: str, body: bytes, kind: str) -> bytes:
    """A request as it is sent; written once, since clients share the machine with the server."""
    place = urlsplit(url)
    head = (
        f"POST {place.path} HTTP/1.1\r\nHost: {place.netloc}\r\nContent-Type: {kind}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def load(url: str, request: bytes, clients: int, seconds: float) -> Load:
    """So many connections. Raises RuntimeError for an answer that is not 200."""
    return asyncio.run(_load(url, request, clients, seconds))


async def _load(url: str, request: bytes, clients: int, seconds: float) -> Load:
    began = time.perf_counter()
    end = began + seconds
    found = await asyncio.gather(*(_client(url, request, end) for _ in range(clients)))
    latencies = [latency for each in found for latency in each]
    return Load(time.perf_counter() - began, latencies)


async def _client(url: str, request: bytes, end: float) -> list[float]:
    place = urlsplit(url)
    reader, writer = await asyncio.open_connection(place.hostname, place.port)
    latencies = []
    try:
        while (began := time.perf_counter()) < end:
            writer.write(request)
            await answer(reader)
            latencies.append(time.perf_counter() - began)
    finally:
        writer.close()
        await writer.wait_closed()
    return latencies


async def answer(reader: asyncio.StreamReader) -> bytes:
    """The body of an answer, which must be 200."""
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0])
    body = await reader.readexactly(length)
    if b" 200 " not in head.partition(b"\r\n")[0]:
        raise RuntimeError(body.decode(errors="replace")[:500])
    return body
