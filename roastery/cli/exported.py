"""What ``export`` and ``build`` print of what they wrote, and what is to be done with it."""

from __future__ import annotations

import os
import shlex
from typing import TYPE_CHECKING

from .say import say

if TYPE_CHECKING:
    from ..api.deployed import Exported


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
