"""What ``export`` and ``build`` share: which net is named, and what is printed of what was made."""

from __future__ import annotations

import os
import shlex
from typing import TYPE_CHECKING

from ir.printable import printable

from .command import Arguments, UsageError, needed
from .say import say

if TYPE_CHECKING:
    from ..api.deployed import Exported


def net_to_export(arguments: Arguments, why: str) -> str:
    """The net that an argument or ``--model`` names. Raises UsageError for none, and for two."""
    if arguments.net and arguments.model and arguments.net != arguments.model:
        raise UsageError(f"two nets are named: {arguments.net} and --model={arguments.model}")
    return str(arguments.net or needed(arguments, "model", why))


def say_fixed_shapes(made: Exported, others: str) -> None:
    """At which shapes it runs, and by what there are ``others``."""
    fixed = " ".join(f"{name}={','.join(map(str, s))}" for name, s in made.fixed.items())
    say(f"note: it runs at these shapes, and {others}: {printable(fixed)}")


def say_without_weights() -> None:
    """Tell what the parameters are where no weights were given."""
    say("note: no --weights given, the parameters are what the fillers made")


def say_pictures(made: Exported) -> None:
    """How pictures become its input, and what classes are called."""
    from runtime.artifact.pictures_told import picture_sentences

    for sentence in picture_sentences(made.pictures):
        say(sentence)
    silent = made.targets == ("PyTorch",)  # who goes on there knows it
    if made.takes_pictures and made.pictures.preprocessing is None and not silent:
        say(
            "note: nothing says how pictures become its input; --mean-value=104,117,123, "
            "--input-scale and others do"
        )


def say_next(made: Exported) -> None:
    """What can be done with it."""
    path = shlex.quote(made.path)
    takes = made.takes_pictures
    kind = made.targets[0]
    if kind == "c":
        shown = takes and made.pictures.preprocessing is not None
        text = f"make -C {path}, then {os.path.join(path, 'net')} {'PICTURE' if shown else 'X.npy'}"
    elif kind == "PyTorch":
        text = f"python {os.path.join(path, 'net.py')} shows the shapes of what its layers make"
    elif kind.startswith("ONNX"):
        text = f"onnxruntime.InferenceSession({made.path!r}) in Python"
    else:
        text = f"roastery run {path} {'PICTURE' if takes else 'X.npy'}"
    say(f"next: {text}")
