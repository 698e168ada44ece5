"""``urllib``, ``urllib2``, ``urlparse``."""

from __future__ import annotations

import socket
from types import ModuleType
from typing import Any

from ..byte_string import as_string, to_bytes
from ..files import OldFile


class _Answer(OldFile):
    """What a server sends."""

    def info(self) -> Any:
        """Its headers, which were asked for by ``getheader``."""
        headers = self.buffer.info()
        headers.getheader = headers.get
        return headers


def _request_names() -> dict[str, Any]:
    import urllib.error
    import urllib.request

    names = {name: getattr(urllib.request, name) for name in urllib.request.__all__}
    names |= {name: getattr(urllib.error, name) for name in urllib.error.__all__}

    class Request(urllib.request.Request):
        def __init__(self, url: Any, data: Any = None, *args: Any, **kwargs: Any) -> None:
            super().__init__(str(url), to_bytes(data), *args, **kwargs)

    def urlopen(url: Any, data: Any = None, *args: Any, **kwargs: Any) -> Any:
        return _Answer(urllib.request.urlopen(url, to_bytes(data), *args, **kwargs), "rb", url)

    return names | {"Request": Request, "urlopen": urlopen}


def _parse_names() -> dict[str, Any]:
    import urllib.parse

    names = (
        "quote", "quote_plus", "unquote", "unquote_plus", "urlencode", "urldefrag", "urljoin",
        "urlparse", "urlsplit", "urlunparse", "urlunsplit", "parse_qs", "parse_qsl",
    )  # fmt: skip
    return {name: getattr(urllib.parse, name) for name in names}


def urllib_names(real: ModuleType) -> dict[str, Any]:
    names = _request_names() | _parse_names()
    return {name: value for name, value in names.items() if name not in ("urlparse", "urlsplit")}


def urllib2() -> dict[str, Any]:
    parse = _parse_names()
    return _request_names() | {name: parse[name] for name in ("quote", "unquote", "urlparse")}


def urlparse(real: ModuleType) -> dict[str, Any]:
    return {}


class _Socket(socket.socket):
    """A socket that takes and gives strings."""

    def send(self, data: Any, *flags: Any) -> int:
        return super().send(to_bytes(data), *flags)

    def sendall(self, data: Any, *flags: Any) -> None:
        super().sendall(to_bytes(data), *flags)

    def sendto(self, data: Any, *where: Any) -> int:
        return super().sendto(to_bytes(data), *where)

    def recv(self, size: int, *flags: Any) -> Any:
        return as_string(super().recv(size, *flags))

    def recvfrom(self, size: int, *flags: Any) -> Any:
        data, address = super().recvfrom(size, *flags)
        return as_string(data), address

    def accept(self) -> Any:
        made, address = super().accept()
        return _of_strings(made), address


def _of_strings(plain: socket.socket) -> _Socket:
    timeout = plain.gettimeout()
    made = _Socket(plain.family, plain.type, plain.proto, fileno=plain.detach())
    made.settimeout(timeout)
    return made


def socket_names(real: ModuleType) -> dict[str, Any]:
    return {
        "create_connection": lambda *args, **words: _of_strings(
            socket.create_connection(*args, **words)
        ),
        "socket": _Socket,
        "socketpair": lambda *args: tuple(map(_of_strings, socket.socketpair(*args))),
    }
