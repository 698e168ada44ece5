"""``roastery classify``. Caffe: python/classify.py."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..command import Arguments, Command, Example, Flag, Positional, UsageError
from ..preprocessing import (
    INPUT_FLAGS,
    MODEL_FLAGS,
    input_channels,
    numbers,
    picture_files,
    transformer_options,
)
from ..say import say

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np


def _run(arguments: Arguments) -> None:
    import time

    import numpy as np

    from ...caffe import Classifier
    from ...files.atomic_file import atomic_write

    channels = input_channels(arguments.model_def)
    classifier = Classifier(
        arguments.model_def,
        arguments.pretrained_model,
        image_dims=_dimensions(arguments.images_dim),
        **transformer_options(arguments, channels),
    )
    inputs = _inputs(arguments.input_file, arguments.ext, color=channels != 1)
    say(f"Classifying {len(inputs)} inputs.")
    started = time.perf_counter()
    predictions = classifier.predict(inputs, not arguments.center_only)
    say(f"Done in {time.perf_counter() - started:.2f} s.")
    say(f"Saving results into {arguments.output_file}")
    with atomic_write(arguments.output_file) as file:
        np.save(file, predictions)


def _dimensions(text: str) -> list[int]:
    found = numbers(text, "images_dim")
    if len(found) != 2 or min(found) < 1:
        raise UsageError(f"--images_dim={text}: must be HEIGHT,WIDTH in pixels, such as 256,256")
    return found


def _inputs(name: str, extension: str, *, color: bool) -> Sequence[np.ndarray]:
    import os
    from pathlib import Path

    from ir.errors import RoasteryError

    from ...caffe.io import load_image
    from ..arrays import load_npy

    path = Path(os.path.expanduser(name))
    if path.suffix == ".npy":
        say(f"Loading file: {path}")
        pictures = load_npy(path)
        if pictures.ndim != 4:
            raise RoasteryError(
                f"'{path}' has shape {list(pictures.shape)}; pictures of "
                "(count, height, width, channels) were expected"
            )
        return list(pictures)
    if path.is_dir():
        say(f"Loading folder: {path}")
        return [load_image(file, color) for file in picture_files([name], extension)]
    say(f"Loading file: {path}")
    return [load_image(path, color)]


COMMAND = Command(
    name="classify",
    summary="Classify pictures with a trained net",
    group="Models",
    description="""
        Scales each picture to --images_dim, takes ten crops of it (corners, centre, and their
        mirror images), runs the net on them and saves the mean of what it says: an array of
        (pictures, classes) in numpy's format. The pictures of a folder are taken in the order of
        their names.
    """,
    positionals=(
        Positional("input_file", "a picture, a folder of pictures, or a .npy array of them"),
        Positional("output_file", "where the probabilities go, such as out.npy"),
    ),
    flags=(
        *MODEL_FLAGS,
        Flag("center_only", "look at the centre of each picture alone", "bool", False),
        Flag(
            "images_dim",
            "height,width that pictures are scaled to before they are cropped",
            default="256,256",
            metavar="H,W",
        ),
        *INPUT_FLAGS,
        Flag("ext", "the ending of pictures in a folder", default="jpg"),
    ),
    examples=(
        Example(
            "roastery classify cat.jpg cat.npy --model_def=deploy.prototxt "
            "--pretrained_model=net.caffemodel --mean_file=mean.binaryproto",
            "one picture",
        ),
        Example(
            "roastery classify photos/ all.npy --ext=png --center_only "
            "--model_def=deploy.prototxt --pretrained_model=net.caffemodel",
            "a folder, ten times as fast",
        ),
    ),
    run=_run,
)
