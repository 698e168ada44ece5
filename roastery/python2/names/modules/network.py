"""``urllib``, ``urllib2``, ``urlparse``."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from ..byte_string import to_bytes
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
