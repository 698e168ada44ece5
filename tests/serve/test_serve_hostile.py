"""What is no request, or too much of one, is refused in JSON, and the server goes on."""

from __future__ import annotations

import io
import pickle
import socket
import struct
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

JSON = {"Content-Type": "application/json"}
FORM = {"Content-Type": "multipart/form-data; boundary=x"}


def npy(array: np.ndarray, claimed: str = "") -> bytes:
    stream = io.BytesIO()
    np.save(stream, array)
    shape = str(array.shape).encode()
    return stream.getvalue().replace(shape, (claimed or str(array.shape)).encode())


def claims(shape: str) -> bytes:
    """The bytes of one number, under a header that says so of it."""
    head = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}}}\n".encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head + bytes(4)


def png(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    rows = zlib.compress(bytes(height * (width + 1)), 9)
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


OBJECTS = io.BytesIO()
np.save(OBJECTS, np.array([{}], object), allow_pickle=True)

REFUSED: dict[str, tuple[int, dict[str, Any], str]] = {
    "empty": (400, {"content": b""}, "empty"),
    "no picture": (422, {"content": b"GIF89a"}, "cannot read the picture"),
    "many pixels": (422, {"content": png(1000, 11)}, "pixels"),
    "huge claim": (422, {"content": png(9, 9).replace(struct.pack(">II", 9, 9),
                                                      struct.pack(">II", 1 << 30, 1 << 30))}, ""),
    "long body": (413, {"content": bytes(200_001)}, "200000 bytes"),
    "deep JSON": (422, {"content": b"[" * 90_000, "headers": JSON}, "in each other"),
    "deep after a string": (
        422, {"content": b'["' + b"]" * 50 + b'", ' + b"[" * 60, "headers": JSON}, "in each other"),
    "no JSON": (422, {"content": b"{]", "headers": JSON}, "no JSON"),
    "NaN": (422, {"content": b"[NaN]", "headers": JSON}, "NaN"),
    "infinite": (422, {"content": b"[1e999]", "headers": JSON}, "no finite number"),
    "long number": (422, {"content": b"[" + b"9" * 5000 + b"]", "headers": JSON}, ""),
    "words": (422, {"json": {"data": ["1", "2"]}}, "no finite number"),
    "ragged": (422, {"json": {"data": [[1], [1, 2]]}}, "different lengths"),
    "scalar": (422, {"json": 5}, "an object"),
    "other input": (422, {"json": {"other": [1]}}, "no input 'other'"),
    "no input": (422, {"json": {}}, "not given"),
    "other shape": (422, {"json": [[1.0, 2.0]]}, "[rows, 3, 6, 8]"),
    "many rows": (422, {"content": npy(np.zeros((5, 3, 6, 8), np.float32))}, "5 rows"),
    "no rows": (422, {"content": npy(np.zeros((0, 3, 6, 8), np.float32))}, "0 rows"),
    "other output": (422, {"content": npy(np.zeros((1, 3, 6, 8))), "params": {"output": "x"}},
                     "no output 'x'"),
    "pickled": (422, {"content": OBJECTS.getvalue()}, "no numbers"),
    "a pickle": (422, {"content": pickle.dumps([1])}, "cannot read the picture"),
    "claims more": (422, {"content": npy(np.zeros((2, 3)), "(9, 3)")}, "bytes"),
    "negative": (422, {"content": npy(np.zeros((12, 3)), "(-1, 3)")}, "shape"),
    "too many axes": (422, {"content": claims(f"({'1,' * 70})")}, "shape"),
    "no bytes": (422, {"content": claims(f"(0, {10**30})")}, "shape"),
    "true": (422, {"content": claims("(True, 1)")}, "shape"),
    "many numbers": (422, {"content": b"[" + b"1," * 90_000 + b"1]", "headers": JSON}, "numbers"),
    "many lists": (422, {"content": b"[]" * 90_000, "headers": JSON}, "no JSON"),
    "bad header": (422, {"content": b"\x93NUMPY\x01\x00\x08\x00{'a': (("}, "header"),
    "version 9": (422, {"content": b"\x93NUMPY\x09\x00\x08\x00"}, "header"),
    "packed": (415, {"content": b"x", "headers": {"Content-Encoding": "gzip"}}, "compressed"),
    "a page": (415, {"content": b"x", "headers": {"Content-Type": "text/html"}}, "text/html"),
    "no boundary": (400, {"content": b"x", "headers": {"Content-Type": "multipart/form-data"}}, ""),
    "broken form": (400, {"content": b"--x\r\nfoo", "headers": FORM}, ""),
    "empty form": (400, {"content": b"--x--\r\n", "headers": FORM}, "expected"),
    "many parts": (400, {"files": [("i", (f"{i}", b"x")) for i in range(20)]}, "Too many files"),
    "a field": (400, {"data": {"a": "b"}, "files": {"i": b"x"}}, "Too many fields"),
    "many pictures": (422, {"files": [("i", (f"{i}", png(9, 9))) for i in range(4)] }, ""),
    "both": (400, {"files": [("a", png(9, 9)), ("data", npy(np.zeros(3)))]}, "either"),
    "twice": (400, {"files": 2 * [("data", npy(np.zeros(3)))]}, "two parts"),
    "top": (422, {"content": b"x", "params": {"top": 0}}, "top"),
    "threshold": (422, {"content": b"x", "params": {"threshold": "nan"}}, "threshold"),
}  # fmt: skip
del REFUSED["many pictures"]  # four fit


@pytest.mark.parametrize("case", REFUSED)
def test_refused(client: Any, case: str) -> None:
    status, sent, said = REFUSED[case]
    answer = client.post("/predict", **sent)
    assert answer.status_code == status, answer.text
    content = answer.json()
    assert content.keys() == {"error", "hint"}
    assert said in content["error"]
    assert len(answer.text) < 1000
    assert "Traceback" not in answer.text
    assert client.get("/readyz").status_code == 200


def test_a_body_without_a_length(client: Any) -> None:
    def parts() -> Iterator[bytes]:
        for _ in range(300):
            yield bytes(1000)

    answer = client.post("/predict", content=parts())
    assert answer.status_code == 413
    assert "200000" in answer.json()["error"]


def test_a_slow_body(client: Any) -> None:
    with socket.create_connection((client.base_url.host, client.base_url.port)) as stream:
        stream.sendall(b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc")
        stream.settimeout(20)
        assert stream.recv(100).startswith(b"HTTP/1.1 408 ")


def test_a_client_that_goes_away(client: Any) -> None:
    """It is no error of the server."""
    before = client.get("/metrics").text
    assert 'reason="gone"' not in before
    head = b"POST /predict HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nabc"
    with socket.create_connection((client.base_url.host, client.base_url.port)) as connection:
        connection.sendall(head)
    until = time.monotonic() + 20
    while 'roast_errors_total{reason="gone"} 1.0' not in client.get("/metrics").text:
        assert time.monotonic() < until
        time.sleep(0.02)
    assert 'reason="internal"' not in client.get("/metrics").text


def test_names_of_files_in_any_code(client: Any) -> None:
    """Halves of characters, which no UTF-8 has."""
    for charset, name in (("utf-7", b"+2AA-"), ("unicode_escape", b"\\ud800")):
        part = b'--x\r\nContent-Disposition: form-data; name="i"; filename="' + name + b'"\r\n\r\n'
        kind = f"multipart/form-data; boundary=x; charset={charset}"
        answer = client.post(
            "/predict", content=part + png(9, 9) + b"\r\n--x--\r\n", headers={"Content-Type": kind}
        )
        assert answer.status_code == 200, answer.text
        assert answer.json()["predictions"][0]["file"] == "\\ud800"


def test_other_paths(client: Any) -> None:
    for method, path, status in (("GET", "/predict", 405), ("GET", "/../etc/passwd", 404),
                                 ("DELETE", "/info", 405), ("GET", "/docs", 404)):  # fmt: skip
        answer = client.request(method, path)
        assert answer.status_code == status
        assert answer.json().keys() == {"error", "hint"}


def test_strings_are_read_once(server_modules: None) -> None:
    """Quotation marks that never end cost no more than their length."""
    from roast_server.json_arrays import arrays_from_json
    from roast_server.problems import Problem

    for body in (b'"' + b'\\"' * 500_000, b'["' * 8 + b'\\\\"' * 400_000, b'"' * 1_000_001):
        with pytest.raises(Problem):
            arrays_from_json(body, {}, 16)


def test_the_log_has_no_traceback(client: Any, net_folder: Path) -> None:
    assert "Traceback" not in client.server.log
