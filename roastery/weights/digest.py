"""A solver state knows its weights: it carries a digest of their file.

Without it a state goes on with whatever lies under the name of its weights: those of another run
that used the same prefix, or a damaged copy.
"""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path

from frontends.caffemodel import SolverState
from ir.errors import RoasteryError

from ..files.missing import cannot_read

DIGEST_FIELD = 13002
"""Number of the field of a .solverstate that holds ``sha256:HEX``, the digest of the bytes of its
weights file, as ``sha256sum`` prints it; Caffe keeps unknown fields unread. In HDF5 it is the
dataset /extra/13002."""

_FORM = re.compile(rb"([a-z0-9]{1,16}):([0-9a-f]{16,128})")


def weights_digest(path: str | os.PathLike[str]) -> bytes:
    """The digest of a file, whatever its name. About 0.8 s for each GB.

    Raises RoasteryError if it cannot be read.
    """
    try:
        with open(path, "rb") as file:
            return b"sha256:" + hashlib.file_digest(file, "sha256").hexdigest().encode()
    except OSError as error:
        raise cannot_read("file", path, error) from None


def weights_of_state(path: str, state: SolverState) -> str:
    """The weights that a state names: where it says, or else beside it (the folder was moved).

    Of these the ones that the state was written with; they may have been renamed with the state.
    Caffe's states carry no digest; theirs are the first that are there.

    Raises:
        RoasteryError: there are no weights, or they are others than the state was written with.
    """
    stored = state.learned_net
    beside = str(Path(path).parent / Path(stored).name)
    places = [stored, beside]
    wanted = _digest(path, state)
    if wanted is not None:
        places.append(path.replace(".solverstate", ".caffemodel"))
    found = [name for name in dict.fromkeys(places) if os.path.exists(name) and name != path]
    if not found:
        raise RoasteryError(
            f"'{path}' belongs to the weights '{stored}', which are not there",
            hint="keep the .caffemodel beside its .solverstate",
        )
    if wanted is None:
        return found[0]
    have = {name: weights_digest(name) for name in found if os.path.isfile(name)}
    for name, digest in have.items():
        if digest == wanted:
            return name
    name = found[0]
    raise RoasteryError(
        f"'{path}' belongs to other weights than '{name}' holds now: their digest was "
        f"{_shown(wanted)}, and is {_shown(have.get(name, b'none:-'))}",
        hint="another run has replaced the file, or it is damaged: resume from another snapshot. "
        f"To train on from these weights with a new solver state: --weights={name}",
    )


def has_digest(state: SolverState) -> bool:
    """Whether a state knows the digest of its weights; Caffe's do not."""
    return DIGEST_FIELD in state.extra


def _digest(path: str, state: SolverState) -> bytes | None:
    content = state.extra.get(DIGEST_FIELD)
    if content is None:
        return None
    match = _FORM.fullmatch(content)
    if match is None:
        raise RoasteryError(f"'{path}' is damaged: the digest of its weights cannot be read")
    if match[1] != b"sha256":
        raise RoasteryError(
            f"'{path}' knows its weights by a {match[1].decode()} digest; sha256 is known here",
            hint="a newer version wrote it",
        )
    return content


def _shown(digest: bytes) -> str:
    kind, _, value = digest.decode().partition(":")
    return f"{kind} {value[:12]}"
