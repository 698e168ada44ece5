"""What can be set, by flags and by the environment."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

PREFIX = "SERVE_"

_HELP = """Serve an exported net over HTTP.

    roastery export deploy.prototxt --weights net.caffemodel --output net.roast
    python serve.py net.roast
    curl -s -H 'Content-Type: image/jpeg' --data-binary @cat.jpg http://127.0.0.1:8000/predict

POST /predict takes pictures (the body itself, or multipart/form-data) and arrays (JSON, or the
bytes of a .npy file). GET /info says what the net takes and gives, /metrics is for Prometheus,
/healthz and /readyz are for who starts servers. Requests that come together run as one batch.
SIGTERM and Ctrl-C finish what was accepted, and exit with 0.
"""

_EPILOG = f"""Every option may be set by the environment, too: {PREFIX}MAX_BATCH=32 is
--max-batch 32, {PREFIX}ARTIFACT is the file. What the command line says counts.

There is no password and no TLS here: keep it on this host, or put a proxy before it.
An artifact holds machine code: serve files from whom you would run a program from.
"""


def _option(default: Any, help: str, low: float = 0, high: float = 1 << 40) -> Any:
    return field(default=default, metadata={"help": help, "low": low, "high": high})


@dataclass(frozen=True)
class Settings:
    """Numbers are limits that a request meets before it costs much."""

    artifact: Path
    host: str = _option("127.0.0.1", "where to listen; 0.0.0.0: everywhere")
    port: int = _option(8000, "0: any free one, which the log tells", 0, 65535)
    device: str = _option("", "cpu, cuda, cuda:N or reference; default: as roastery run decides")
    threads: int = _option(0, "of the net; 0: as roastery run decides", 0, 4096)
    max_batch: int = _option(8, "pictures, or rows of arrays, that run at once", 1, 1024)
    max_wait_ms: float = _option(
        2.0, "a request waits so long for others to run with; 0: not at all", 0, 60_000
    )
    max_queue: int = _option(64, "requests that wait; more are answered 503", 1, 100_000)
    max_body: int = _option(16 << 20, "bytes of a request", 1, 1 << 32)
    max_pixels: int = _option(
        25_000_000, "of a picture, each of which takes some 30 bytes while it is read", 1
    )
    max_depth: int = _option(16, "of JSON: lists and objects in each other", 1, 64)
    max_values: int = _option(1_000_000, "numbers in an answer of JSON; .npy has no such limit", 1)
    any_size: bool = _option(
        False, "take arrays of other image sizes, too; each new size is planned when it comes"
    )
    read_timeout: float = _option(10.0, "seconds in which a request must arrive", 0.01, 3600)
    run_timeout: float = _option(30.0, "seconds that a request waits at most", 0.01, 3600)
    drain_timeout: float = _option(30.0, "seconds that SIGTERM leaves to finish", 0, 3600)
    access_log: bool = _option(False, "write a line for each request")


def read_settings(words: Sequence[str], environment: Mapping[str, str] = os.environ) -> Settings:
    """Of a command line and the environment. Exits with 2 for what cannot be meant."""
    parser = _parser()
    given = vars(parser.parse_args(list(words)))
    values: dict[str, Any] = {}
    for item in fields(Settings):
        text, source = given[item.name], f"--{item.name.replace('_', '-')}"
        if text is None:
            source = PREFIX + item.name.upper()
            text = environment.get(source)
        if text is None:
            continue
        try:
            values[item.name] = _value(item, text)
        except ValueError as error:
            parser.error(f"{source} is {text[:60]!r}: {error}")
    if "artifact" not in values:
        parser.error(f"name the artifact: serve.py net.roast, or {PREFIX}ARTIFACT=net.roast")
    return Settings(**values)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="serve.py",
        description=_HELP,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("artifact", nargs="?", help="a file that roastery export wrote")
    for item in fields(Settings)[1:]:
        name = f"--{item.name.replace('_', '-')}"
        help = f"{item.metadata['help']} (default: {_shown(item.default)})".replace("%", "%%")
        if isinstance(item.default, bool):
            parser.add_argument(name, nargs="?", const="yes", metavar="yes|no", help=help)
        else:
            parser.add_argument(name, metavar=type(item.default).__name__.upper(), help=help)
    return parser


def _shown(default: object) -> str:
    if isinstance(default, bool):
        return "yes" if default else "no"
    return f"{default}" or "none"


def _value(item: Any, text: str) -> Any:
    """Raises ValueError."""
    if item.name == "artifact":
        if not text:
            raise ValueError("a file was expected")
        return Path(text)
    default, low, high = item.default, item.metadata["low"], item.metadata["high"]
    if isinstance(default, str):
        return text
    if isinstance(default, bool):
        words = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}
        if text.lower() not in words:
            raise ValueError("yes or no was expected")
        return words[text.lower()]
    try:
        value = type(default)(text)
    except ValueError:
        kind = "a whole number" if isinstance(default, int) else "a number"
        raise ValueError(f"{kind} was expected") from None
    if not low <= value <= high:  # nor is NaN between them
        raise ValueError(f"from {low} to {high} was expected")
    return value
