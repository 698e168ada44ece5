"""``roastery detect_objects``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..command import Arguments, Command, Example, Flag, Positional, UsageError
from ..picture_files import picture_files
from ..picture_net import picture_net
from ..preprocessing import INPUT_FLAGS, MEAN_VALUE_FLAG, height_and_width, picture_options
from ..say import preparation, say, say_nameless, say_note

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np

    from ...tools.objects.found import PictureObject


def _run(arguments: Arguments) -> None:
    import json
    import time
    from pathlib import Path

    from ...caffe.io import load_image
    from ...files.atomic_file import atomic_write
    from ...files.made_folder import make_folder
    from ...tools.objects.finder import ObjectFinder, ScaledSize
    from ...tools.objects.labels import read_labels

    if arguments.longest < arguments.shortest:
        raise UsageError(
            f"--longest={arguments.longest} is less than --shortest={arguments.shortest}"
        )
    if arguments.threshold > 1:
        raise UsageError(f"--threshold={arguments.threshold:g}: scores go from 0 to 1")
    size = height_and_width(arguments.size, "size") if arguments.size else None
    files = picture_files(arguments.images, arguments.ext)
    outputs = _outputs(files, Path(arguments.output)) if arguments.output else []
    labels = read_labels(Path(arguments.label_map), say_note) if arguments.label_map else {}
    net = picture_net(arguments, files[0], size, any_size=False)
    finder = ObjectFinder(
        arguments.model,
        arguments.weights,
        pictures=ScaledSize(size, arguments.shortest, arguments.longest),
        box_scales=_box_scales(arguments.box_scales),
        overlap=arguments.overlap,
        net=net.message,
        **picture_options(arguments, net),
    )
    if size is not None and finder.sizes_follow_pictures:
        raise UsageError(
            "--size is for nets that take pictures of one size; this one takes --shortest and "
            "--longest"
        )
    if outputs:
        make_folder(Path(arguments.output))
    started = time.perf_counter()
    told = []
    numbers_found: set[int] = set()
    for number, file in enumerate(files):
        picture = load_image(file, color=net.channels != 1)
        found = finder.objects_in(picture, arguments.threshold)
        rows = [_row(each, labels) for each in found]
        numbers_found.update(each.label for each in found)
        say(f"{file}: {len(found)} object{'' if len(found) == 1 else 's'}")
        for thing, row in zip(found, rows, strict=True):
            edges = " ".join(f"{edge:.1f}" for edge in thing.box)
            say(f"  {row['name']} {thing.score:.3f} {edges}")
        told.append({"image": str(file), "objects": rows})
        if outputs:
            _draw(outputs[number], picture, found, labels)
    seconds = time.perf_counter() - started - finder.sizes.seconds
    if arguments.json:
        with atomic_write(arguments.json, "w") as stream:
            stream.write(json.dumps(told, indent=1) + "\n")
    count = sum(len(each["objects"]) for each in told)
    where = f", drawn in {arguments.output}" if outputs else ""
    prepared = preparation(finder.sizes.seconds)
    say(f"{count} object(s) in {len(files)} picture(s), {seconds:.2f} s{prepared}{where}")
    if labels:
        say_nameless(arguments.label_map, numbers_found - labels.keys())


def _row(found: PictureObject, labels: dict[int, str]) -> dict[str, Any]:
    """What is written of an object."""
    return {
        "label": found.label,
        "name": _name(found.label, labels),
        "score": _rounded(found.score, 6),
        "box": [_rounded(edge, 2) for edge in found.box],
    }


def _rounded(number: float, digits: int) -> float | None:
    """JSON has no infinities: a box may be as wide as an exponential says."""
    import math

    return round(number, digits) if math.isfinite(number) else None


def _name(label: int, labels: dict[int, str]) -> str:
    return labels.get(label, f"class {label}")


def _box_scales(text: str) -> list[float]:
    import math

    try:
        found = [float(word) for word in text.split(",")]
    except ValueError:
        found = []
    if len(found) != 4 or not all(math.isfinite(x) for x in found):
        raise UsageError(f"--box_scales={text}: must be four numbers, such as 0.1,0.1,0.2,0.2")
    return found


def _outputs(files: list[Path], folder: Path) -> list[Path]:
    """Where each picture is drawn; no two in one place."""
    import os

    places: dict[Path, Path] = {}
    for file in files:
        place = folder / f"{file.stem}.png"
        if place in places:
            raise UsageError(
                f"'{places[place]}' and '{file}' would both become {place}; draw them into two "
                "folders"
            )
        if os.path.realpath(place) == os.path.realpath(file):
            raise UsageError(f"'{file}' would be drawn over: --output names another folder")
        places[place] = file
    return list(places)


def _draw(
    place: Path, picture: np.ndarray, found: list[PictureObject], labels: dict[int, str]
) -> None:
    import numpy as np

    from runtime.data.image_codec import encode_image

    from ...files.atomic_file import atomic_write
    from ...tools.objects.drawing import with_boxes

    pixels = np.rint(np.broadcast_to(picture * 255, (*picture.shape[:2], 3))).astype(np.uint8)
    named = [(each, f"{_name(each.label, labels)} {each.score:.2f}") for each in found]
    with atomic_write(place) as file:
        file.write(encode_image(with_boxes(pixels[:, :, ::-1], named), "png"))


COMMAND = Command(
    name="detect_objects",
    summary="Find objects in pictures (SSD, YOLO, Faster R-CNN)",
    group="Models",
    description="""
        Runs a detection net on pictures and prints what it finds in each: class, score, and the
        edges of the box (left, top, right, bottom) in pixels of the picture. With --output each
        picture is also written to that folder as NAME.png, with boxes drawn over it; --json writes
        all that is printed to a file.

        Of SSD and YOLO nets the output holds rows as DetectionOutput makes them; pictures are
        warped to the size of the net's input, or to --size. A net with a second input for the
        picture's size (1, 3) is a Faster R-CNN or R-FCN net: pictures keep their proportions, the
        shorter side becomes --shortest unless the longer one is --longest first. Boxes of a class
        that overlap a better one by more than --overlap are left out, as py-faster-rcnn does.
        Its saved nets need no --box_scales; where moves of boxes were normalised in training and
        not multiplied back, these are the standard deviations (bbox_normalize_stds).

        Pictures become inputs as in `roastery classify`: channels in the order blue, green, red,
        values from 0 to 255, minus the mean. SSD nets usually want --mean_value=104,117,123,
        MobileNet-SSD --mean_value=127.5 --input_scale=0.007843, py-faster-rcnn's
        --mean_value=102.9801,115.9465,122.7717, MobileNet-YOLO --input_scale=0.007843 and
        --mean_value=127.5.

        A net that begins with a data layer (AnnotatedData ...) is taken without it, and without
        what needs labels; its size, mean_value and scale count where no flag gives others.

        --label_map names SSD's labelmap.prototxt, or a text file with a class a line, class 0 (the
        background) first.
    """,
    positionals=(
        Positional("model", "the net: a deploy prototxt, or one that reads pictures"),
        Positional("weights", "a .caffemodel or .caffemodel.h5 file"),
        Positional("images", "pictures, or folders of them", repeated=True),
    ),
    flags=(
        Flag("threshold", "the least score of an object", "float", 0.5, minimum=0, maximum=1,
             metavar="X"),
        Flag("label_map", "names of classes: a label map or a text file", default="",
             metavar="FILE"),
        Flag("output", "the folder for pictures with boxes; without it none are drawn", default="",
             metavar="FOLDER"),
        Flag("json", "also write what is found to a file; edges that are no finite numbers are "
             "null", default="", metavar="FILE"),
        Flag("size", "height,width that pictures are warped to; without it the net's input",
             default="", metavar="H,W"),
        Flag("shortest", "Faster R-CNN: what the shorter side becomes, in pixels", "int", 600,
             minimum=1, metavar="N"),
        Flag("longest", "Faster R-CNN: at most as long the longer side becomes", "int", 1000,
             minimum=1, metavar="N"),
        Flag("overlap", "Faster R-CNN: of boxes that share more of their area one is left",
             "float", 0.3, minimum=0, maximum=1, metavar="X"),
        Flag("box_scales", "Faster R-CNN: what moves of boxes are multiplied by",
             default="1,1,1,1", metavar="X,X,X,X"),
        MEAN_VALUE_FLAG,
        *INPUT_FLAGS,
        Flag("ext", "the ending of pictures in a folder", default="jpg"),
    ),
    examples=(
        Example(
            "roastery detect_objects deploy.prototxt VGG_VOC0712_SSD_300x300.caffemodel dog.jpg "
            "--mean_value=104,117,123 --label_map=labelmap_voc.prototxt --output=found",
            "SSD, with boxes drawn",
        ),
        Example(
            "roastery detect_objects test.prototxt VGG16_faster_rcnn_final.caffemodel photos/ "
            "--mean_value=102.9801,115.9465,122.7717 --threshold=0.8 --json=found.json",
            "Faster R-CNN on a folder, for another program",
        ),
    ),
    run=_run,
)  # fmt: skip
