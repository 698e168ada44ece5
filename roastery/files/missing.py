"""How a file that is not there is told: one phrase everywhere, with the nearest name."""

from __future__ import annotations

import os
from difflib import get_close_matches
from itertools import islice

from ir.errors import RoasteryError
from ir.location import Location

_MOST_NAMES = 5000  # of a folder that are looked at


def missing(
    kind: str,
    path: str | os.PathLike[str],
    location: Location | None = None,
    hint: str | None = None,
    *,
    field: str = "",
    named_in: str = "",
    at: str = "",
    what: str = "",
) -> RoasteryError:
    """The error for a file that is not there.

    Args:
        kind: what it should be: "file", "database", "mean file".
        location: where the path is named.
        hint: where such files come from; the nearest name that there is stands before it.
        field: the setting that is wrong.
        named_in: what names the file, where that is a list.
        at: where it was looked for, if the path does not say that.
        what: what it is for; stands before the rest.
    """
    name = os.fspath(path)
    said = f" at {at}" if at and at != name else ""
    said += f", named in {named_in}" if named_in else ""
    hints = [text for text in (nearest_name(at or name), hint) if text]
    return RoasteryError(
        f"{what + ': ' if what else ''}there is no {kind} '{name}'{said}",
        location=location,
        hint="; ".join(hints) or None,
        field=field,
    )


def cannot_read(
    kind: str,
    path: str | os.PathLike[str],
    error: OSError | ValueError,
    location: Location | None = None,
    hint: str | None = None,
    *,
    what: str = "",
) -> RoasteryError:
    """The error for a file that could not be read; :func:`missing` where it is not there."""
    if isinstance(error, FileNotFoundError):
        return missing(kind, path, location, hint, what=what)
    reason = getattr(error, "strerror", None) or error
    before = f"{what}: " if what else ""
    return RoasteryError(
        f"{before}cannot read the {kind} '{os.fspath(path)}': {reason}",
        location=location,
        hint=hint if isinstance(error, IsADirectoryError) else None,
    )


def no_folder(
    path: str | os.PathLike[str],
    folder: str | os.PathLike[str],
    location: Location | None = None,
) -> RoasteryError:
    """The error for a file that is to be written where there is no folder."""
    hints = [text for text in (nearest_name(os.fspath(folder)), "make the folder first") if text]
    return RoasteryError(
        f"cannot write '{os.fspath(path)}': there is no folder '{os.fspath(folder)}'",
        location=location,
        hint="; ".join(hints),
    )


def nearest_name(path: str) -> str:
    """What might have been meant: "did you mean 'nets/lenet.prototxt'?", or the folder that is not
    there; empty where nothing is near."""
    folder, name = os.path.split(path.rstrip("/"))
    if folder and not os.path.isdir(folder):
        if os.path.lexists(folder):
            return f"'{folder}' is no folder"
        above = nearest_name(folder)
        if above.startswith("did you mean"):
            close = above.removeprefix("did you mean '").removesuffix("'?")
            whole = os.path.join(close, name)
            return f"did you mean '{whole}'?" if os.path.exists(whole) else above
        return above if above.startswith("there is no folder") else f"there is no folder '{folder}'"
    try:
        with os.scandir(folder or ".") as entries:
            names = [entry.name for entry in islice(entries, _MOST_NAMES)]
    except OSError:
        return ""
    close = _closest(name, sorted(names))
    return f"did you mean '{os.path.join(folder, close)}'?" if close else ""


def _closest(name: str, names: list[str]) -> str:
    """The name most like ``name``: in other letters' case, with or without an ending, or near."""
    folded = {other.casefold(): other for other in reversed(names)}
    if name.casefold() in folded:
        return folded[name.casefold()]
    stem = name.casefold()
    for other in names:
        if other.casefold().startswith(stem + ".") or stem.startswith(other.casefold() + "."):
            return other
    close = get_close_matches(name.casefold(), list(folded), n=1, cutoff=0.7)
    return folded[close[0]] if close else ""
