"""``roastery classify``. Caffe: examples/cpp_classification, python/classify.py."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ..command import Arguments, Command, Example, Flag, Positional, UsageError
from ..picture_files import PICTURE_ENDINGS, picture_files
from ..picture_net import input_channels, picture_net
from ..preprocessing import (
    INPUT_FLAGS,
    MEAN_VALUE_FLAG,
    MODEL_FLAGS,
    height_and_width,
    picture_options,
    transformer_options,
)
from ..say import say, say_note

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy as np

    from ...tools.picture_classes import PictureClasses

_USUAL_SIZE = "256,256"
_MEAN_ENDING, _LABELS_ENDING = ".binaryproto", ".txt"
_FORMS = (
    "write `roastery classify MODEL WEIGHTS IMAGE ...`, or, for an array of all probabilities, "
    "`roastery classify INPUT OUTPUT.npy --model_def=MODEL --pretrained_model=WEIGHTS`"
)


def _run(arguments: Arguments) -> None:
    if {"model_def", "pretrained_model"} & arguments.given:
        _write_array(arguments)
    else:
        _print_best(arguments)


# --- the best classes, printed --------------------------------------------------------------


def _print_best(arguments: Arguments) -> None:
    from pathlib import Path

    from ir.errors import RoasteryError

    from ...caffe.io import load_image
    from ...tools.objects.labels import read_labels
    from ...tools.picture_classes import are_probabilities, best_lines
    from ..progress import progress_bar

    names = _take_files(arguments)
    if not names:
        raise UsageError(f"classify needs pictures; {_FORMS}")
    files = picture_files(names, arguments.ext or PICTURE_ENDINGS)
    labels = read_labels(Path(arguments.labels), say_note) if arguments.labels else {}
    net, channels = _net(arguments, files[0])
    if labels and max(labels) + 1 != net.classes:
        say_note(f"'{arguments.labels}' names {max(labels) + 1} classes; the net has {net.classes}")
    scored = True
    broken = 0
    with progress_bar("pictures", unit="picture") as progress:
        for number, file in enumerate(files):
            try:
                picture = load_image(file, color=channels != 1)
            except RoasteryError as error:
                if len(files) == 1:
                    raise
                broken += 1
                with progress.apart():
                    say_note(f"left out: {error}")
                progress(number + 1, len(files))
                continue
            scores = net.scores(picture)
            with progress.apart():
                say(f"---------- Prediction for {file} ----------")
                for line in best_lines(scores, arguments.top, labels):
                    say(line)
            if len(files) > 1:
                progress(number + 1, len(files))
            scored = scored and are_probabilities(scores)
    if not scored:
        say_note("the numbers are no probabilities: the net does not end with a Softmax layer")
    if broken:
        raise RoasteryError(f"{broken} of {len(files)} pictures could not be read")


def _take_files(arguments: Arguments) -> list[str]:
    """The pictures. A mean and labels may stand before them, as Caffe's C++ example has them."""
    names = list(arguments.images)
    for flag, ending in (("mean_file", _MEAN_ENDING), ("labels", _LABELS_ENDING)):
        if names and names[0].endswith(ending):
            if getattr(arguments, flag):
                raise UsageError(f"--{flag} and '{names[0]}': give one of the two")
            setattr(arguments, flag, names.pop(0))
            arguments.given.add(flag)
    return names


def _net(arguments: Arguments, first: Path) -> tuple[PictureClasses, int]:
    """The net, and how many channels pictures have."""
    from ...tools.picture_classes import PictureClasses

    dims = height_and_width(arguments.images_dim, "images_dim") if arguments.images_dim else None
    net = picture_net(arguments, first, dims, any_size=False, flag="images_dim", cropped=True)
    classes = PictureClasses(
        arguments.model,
        arguments.weights,
        image_dims=dims,
        crops="center_only" in arguments.given and not arguments.center_only,
        output=arguments.output_blob,
        net=net.message,
        **picture_options(arguments, net),
    )
    return classes, net.channels


# --- all probabilities, as an array ---------------------------------------------------------


def _write_array(arguments: Arguments) -> None:
    import time

    import numpy as np

    from ...caffe import Classifier
    from ...files.atomic_file import atomic_write

    for flag in ("model_def", "pretrained_model"):
        if not getattr(arguments, flag):
            raise UsageError(f"classify needs --{flag}=FILE; {_FORMS}")
    if arguments.images:
        raise UsageError(f"classify does not take the argument '{arguments.images[0]}'; {_FORMS}")
    source, target = arguments.model, arguments.weights
    channels = input_channels(arguments.model_def)
    classifier = Classifier(
        arguments.model_def,
        arguments.pretrained_model,
        image_dims=height_and_width(arguments.images_dim or _USUAL_SIZE, "images_dim"),
        **transformer_options(arguments, channels),
    )
    inputs = _inputs(source, arguments.ext or "jpg", color=channels != 1)
    say(f"Classifying {len(inputs)} inputs.")
    started = time.perf_counter()
    predictions = classifier.predict(inputs, not arguments.center_only)
    say(f"Done in {time.perf_counter() - started:.2f} s.")
    say(f"Saving results into {target}")
    with atomic_write(target) as file:
        np.save(file, predictions)


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
        Prints the best classes of each picture, as Caffe's C++ example does. A picture is scaled
        to the net's input as a whole, or with --images_dim=256,256 to that, of which the middle is
        taken; --nocenter_only takes ten parts of it (corners, centre, and their mirror images) and
        the mean of what the net says of them. Of a mean picture the mean of each channel counts.
        A net that begins with a data layer is taken without it. A mean (.binaryproto) and labels
        (.txt) may also stand between weights and pictures, as the C++ example has them. Of several
        pictures those that cannot be read are named and left out; the exit code is then 1.

        With --model_def and --pretrained_model the two arguments are a picture, a folder of
        pictures or a .npy array of them, and the file that gets what the net says, in numpy's
        format, (pictures, classes), as classify.py of pycaffe writes it: of ten parts of pictures
        that are scaled to 256,256, unless flags say otherwise. The pictures of a folder are taken
        in the order of their names.
    """,
    positionals=(
        Positional("model", "the net: a deploy prototxt, or one that reads pictures"),
        Positional("weights", "a .caffemodel or .caffemodel.h5 file"),
        Positional("images", "pictures, or folders of them", required=False, repeated=True),
    ),
    flags=(
        Flag("labels", "names of classes: one a line, class 0 first", default="", metavar="FILE"),
        Flag("top", "of so many classes it tells", "int", 5, minimum=1, metavar="N"),
        *(replace(flag, required=False, default="") for flag in MODEL_FLAGS),
        Flag(
            "center_only",
            "look at the centre of each picture alone; --nocenter_only: at ten parts of it",
            "bool",
            False,
        ),
        Flag(
            "images_dim",
            "height,width that pictures are scaled to before they are cropped; without it the "
            "net's input, for an array 256,256",
            default="",
            metavar="H,W",
        ),
        Flag(
            "output_blob",
            "the blob with the scores, if the net has several outputs",
            default="",
            metavar="NAME",
        ),
        MEAN_VALUE_FLAG,
        *INPUT_FLAGS,
        Flag(
            "ext",
            "the ending of pictures in a folder; without it any picture's, for an array jpg",
            default="",
        ),
    ),
    examples=(
        Example(
            "roastery classify deploy.prototxt net.caffemodel cat.jpg --labels=synset_words.txt "
            "--mean_file=mean.binaryproto",
            "the five best classes of a picture",
        ),
        Example(
            "roastery classify deploy.prototxt net.caffemodel photos/ a.png --top=1 "
            "--mean_value=104,117,123",
            "the best class of each picture in a folder, and of one more",
        ),
        Example(
            "roastery classify photos/ all.npy --ext=png --center_only "
            "--model_def=deploy.prototxt --pretrained_model=net.caffemodel",
            "what the net says of a folder, as an array",
        ),
    ),
    run=_run,
)
