"""Caffe's programs: what Roastery does when it is called by the name of one.

`roastery shims` lays such names out; a link called ``caffe`` to ``roastery`` does the same.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from ..tools.caffe_programs import EXAMPLES, TOOLS
from .command import UsageError
from .say import say_note

CAFFE_VERSION = "1.0.0"
"""What ``caffe --version`` says: the version whose interface this is."""

Words = list[str]


@dataclass(frozen=True)
class CaffeProgram:
    """A program of Caffe's.

    Attributes:
        name: as it is called, without its folder; glog names files after it.
        folder: where it lies, as it was called.
        translate: its arguments and its folder as a command line of ours.
    """

    name: str
    folder: str
    translate: Callable[[Words, str], Words]

    def command_line(self, words: Sequence[str]) -> Words:
        """Our command line for its arguments."""
        return self.translate(list(words), self.folder)


def program_called(called: str) -> CaffeProgram | None:
    """The program of a name, with or without a folder and ``.bin``; None for a name of ours."""
    folder, name = os.path.split(called)
    translate = TRANSLATIONS.get(name.removesuffix(".bin"))
    return None if translate is None else CaffeProgram(name, folder, translate)


def _same(words: Words, folder: str) -> Words:
    return words


def _command(name: str) -> Callable[[Words, str], Words]:
    return lambda words, folder: [name, *words]


_REFERENCE = "../models/bvlc_reference_caffenet"


def _with_reference_net(name: str) -> Callable[[Words, str], Words]:
    """A script whose net is CaffeNet unless it is given. Caffe: python/classify.py."""

    def translate(words: Words, folder: str) -> Words:
        net = os.path.join(folder, _REFERENCE)
        mean = os.path.join(folder, "caffe/imagenet/ilsvrc_2012_mean.npy")
        defaults = {
            "model_def": os.path.join(net, "deploy.prototxt"),
            "pretrained_model": os.path.join(net, "bvlc_reference_caffenet.caffemodel"),
        }
        if os.path.exists(mean):
            defaults["mean_file"] = mean
        given = {re.sub("^--?|=.*$", "", word).replace("-", "_") for word in words}
        missing = {flag: path for flag, path in defaults.items() if flag not in given}
        return [name, *(f"--{flag}={path}" for flag, path in missing.items()), *words]

    return translate


def _train_script(words: Words, folder: str) -> Words:
    """``python/train.py --solver FILE [--snapshot FILE] [--gpus N ...] [--timing]``."""
    rest: Words = []
    gpus: Words = []
    at = 0
    while at < len(words):
        word, at = words[at], at + 1
        name, equals, value = word.partition("=")
        if name in ("--gpus", "-gpus"):
            gpus = [value] if equals else []
            while at < len(words) and not equals and not words[at].startswith("-"):
                gpus.append(words[at])
                at += 1
        elif name in ("--timing", "-timing"):
            say_note("--timing is left out: `roastery time` shows the time of each layer")
        else:
            rest.append(word)
    if not all(gpu.isdecimal() for gpu in gpus):
        raise UsageError(f"--gpus {' '.join(gpus)}: must be numbers of GPUs")
    return ["train", *rest, *_one_rank_each(gpus)]


def _one_rank_each(gpus: Words) -> Words:
    """Flags for a rank on each GPU; as in scripts, GPUs that are not there mean the CPU."""
    from ..devices.backends import cuda_missing

    if not gpus:
        return []
    if reason := cuda_missing():
        say_note(f"--gpus {' '.join(gpus)}: there is no GPU ({reason}): using the CPU")
        return [f"--ranks={len(gpus)}"] if len(gpus) > 1 else []
    return ["-gpu", ",".join(gpus)]


def _parse_log_script(words: Words, folder: str) -> Words:
    """``tools/extra/parse_log.sh LOG``: tables in the working directory."""
    return ["parse_log", "--columns", *words, *([] if not words else ["."])]


def _plot_script(words: Words, folder: str) -> Words:
    """``plot_training_log.py CHART FILE.png LOG ...``: odd charts are over seconds."""
    if len(words) < 3 or not re.fullmatch("[0-7]", words[0]):
        raise UsageError(
            "plot_training_log.py takes the number of a chart, from 0 to 7, the picture to write, "
            "and logs; or write `roastery plot_log LOG ... --output=FILE`"
        )
    axis = "seconds" if int(words[0]) % 2 else "iterations"
    return ["plot_log", f"--x={axis}", f"--output={words[1]}", *words[2:]]


TRANSLATIONS: Mapping[str, Callable[[Words, str], Words]] = MappingProxyType(
    {
        # These are commands of ours, by a name or an alias, that take the same arguments.
        **{name: _command(name) for name in map(os.path.basename, (*TOOLS, *EXAMPLES))},
        "caffe": _same,
        "classification": _command("classify"),
        "classify.py": _with_reference_net("classify"),
        "detect.py": _with_reference_net("detect"),
        "draw_net.py": _command("draw_net"),
        "train.py": _train_script,
        "create_annoset.py": _command("create_annoset"),
        "parse_log.py": _command("parse_log"),
        "parse_log.sh": _parse_log_script,
        "plot_training_log.py": _plot_script,
        "plot_training_log.py.example": _plot_script,
    }
)
"""What each program is, by its name without ``.bin``."""
