"""What goes wrong for a client, as an answer that says what and what to do."""

from __future__ import annotations

from collections.abc import Mapping


class Problem(Exception):
    """An answer with a status of 4xx or 5xx and JSON ``{"error": ..., "hint": ...}``.

    ``reason``: a word for metrics.
    """

    def __init__(
        self,
        status: int,
        reason: str,
        error: str,
        hint: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(error)
        self.status, self.reason, self.error, self.hint = status, reason, error, hint
        self.headers = dict(headers or {})

    @property
    def content(self) -> dict[str, str]:
        return {"error": self.error, **({"hint": self.hint} if self.hint else {})}


def busy(seconds: int = 1) -> Problem:
    """There is no room for another request."""
    return Problem(
        503,
        "full",
        "the server has as many requests as it takes",
        f"send it again after {seconds} s, or to another server",
        {"Retry-After": str(seconds)},
    )


def stopping() -> Problem:
    """The server was asked to stop."""
    headers = {"Retry-After": "5", "Connection": "close"}
    return Problem(503, "stopping", "the server is stopping", "send it to another server", headers)


def not_ready() -> Problem:
    """The net is not loaded yet."""
    return Problem(
        503, "loading", "the net is being loaded", "/readyz says when it is", {"Retry-After": "1"}
    )
