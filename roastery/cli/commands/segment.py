"""``roastery segment``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..command import Arguments, Command, Example, Flag, Positional, UsageError
from ..picture_files import picture_files
from ..picture_net import picture_net
from ..preprocessing import INPUT_FLAGS, MEAN_VALUE_FLAG, height_and_width, picture_options
from ..say import preparation, say, say_nameless, say_note

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np

    from ...tools.class_colors import ClassColor

_SHOWN = 5


def _run(arguments: Arguments) -> None:
    import time
    from pathlib import Path

    import numpy as np

    from ...caffe.io import load_image
    from ...files.made_folder import make_folder
    from ...tools.class_colors import read_classes
    from ...tools.segmenter import Segmenter

    if arguments.opacity > 1:
        raise UsageError(f"--opacity={arguments.opacity:g}: must be from 0 to 1")
    keep_size = arguments.size == "picture"
    size = (
        None
        if keep_size or not arguments.size
        else height_and_width(arguments.size, "size", ", or 'picture'")
    )
    files = picture_files(arguments.images, arguments.ext)
    outputs = _outputs(files, Path(arguments.output))
    classes = read_classes(Path(arguments.classes), say_note) if arguments.classes else []
    net = picture_net(arguments, files[0], size, any_size=True)
    segmenter = Segmenter(
        arguments.model,
        arguments.weights,
        size=size,
        keep_size=keep_size or net.any_size,
        output=arguments.output_blob,
        net=net.message,
        **picture_options(arguments, net),
    )
    make_folder(Path(arguments.output))
    started = time.perf_counter()
    numbers_found: set[int] = set()
    for file, base in zip(files, outputs, strict=True):
        picture = load_image(file, color=net.channels != 1)
        found = segmenter.classes_of(picture)
        _write(base, picture, found, classes, arguments)
        numbers_found.update(np.unique(found).tolist())
        say(f"{file}: {_shares(found, classes)}")
    seconds = time.perf_counter() - started - segmenter.sizes.seconds
    count = f"{len(files)} picture" + ("s" if len(files) != 1 else "")
    prepared = preparation(segmenter.sizes.seconds)
    say(f"Segmented {count} in {seconds:.2f} s{prepared}, results are in {arguments.output}")
    if classes:
        say_nameless(arguments.classes, numbers_found - set(range(len(classes))))


def _outputs(files: list[Path], folder: Path) -> list[Path]:
    """Where each picture's results go, without their endings; no two in one place."""
    bases: dict[Path, Path] = {}
    for file in files:
        base = folder / file.stem
        if base in bases:
            raise UsageError(
                f"'{bases[base]}' and '{file}' would both become {base}_labels.png; "
                "segment them into two folders"
            )
        bases[base] = file
    return list(bases)


def _write(
    base: Path,
    picture: np.ndarray,
    found: np.ndarray,
    classes: list[ClassColor],
    arguments: Arguments,
) -> None:
    import numpy as np

    from runtime.data.image_codec import encode_image

    from ...files.atomic_file import atomic_write
    from ...tools.class_colors import overlay

    if arguments.write != "overlay":
        deep = found.max() > 255
        with atomic_write(f"{base}_labels.png") as file:
            file.write(encode_image(found.astype(np.uint16 if deep else np.uint8), "png"))
    if arguments.write != "labels":
        shown = overlay(
            np.broadcast_to(picture * 255, (*picture.shape[:2], 3)),
            found,
            classes,
            arguments.opacity,
            arguments.background,
        )
        with atomic_write(f"{base}_overlay.png") as file:
            file.write(encode_image(np.ascontiguousarray(shown[:, :, ::-1]), "png"))


def _shares(found: np.ndarray, classes: list[ClassColor]) -> str:
    """``background 84.2 %, disc 9.0 %``: the largest first."""
    import numpy as np

    from ...tools.class_colors import class_at

    present, counts = np.unique(found, return_counts=True)
    order = np.argsort(-counts, kind="stable")
    told = [
        f"{class_at(classes, int(present[i])).name} {counts[i] / found.size:.1%}"
        for i in order[:_SHOWN]
    ]
    more = len(order) - _SHOWN
    return ", ".join(told) + (f" and {more} more" if more > 0 else "")


COMMAND = Command(
    name="segment",
    summary="Say of every pixel of pictures which class it is",
    group="Models",
    description="""
        Runs a segmentation net (SegNet, FCN, DeepLab, PSPNet ...) on pictures. For NAME.jpg two
        files are written: NAME_labels.png holds the class number of every pixel, in one channel,
        as DenseImageData and ImageSegData read them, and NAME_overlay.png shows the picture with
        each class in a colour. Both have the picture's size.

        The class of a pixel is the one with the highest score in the net's output (1, classes,
        height, width); scores are interpolated to the picture's size. An output of one channel
        holds class numbers themselves, as ArgMax makes them.

        Pictures become inputs as in `roastery classify`: channels in the order blue, green, red,
        values from 0 to 255, minus the mean. --mean_value is what transform_param says in the net
        that was trained, and --input_scale its scale.

        A net that begins with a data layer (DenseImageData, ImageSegData ...) is taken without it,
        and without what needs labels. Pictures get the size that the layer says, or keep theirs,
        and its mean_value and scale count where no flag gives others. Upsample layers that say
        sizes, as SegNet's do, decide it, too.

        --classes names a text file with a class a line, class 0 first: a name, and behind it, if
        you like, its colour as red, green and blue: "road 128 64 128". Without colours classes
        look as in PASCAL VOC.
    """,
    positionals=(
        Positional("model", "the net: a deploy prototxt, or one that reads pictures"),
        Positional("weights", "a .caffemodel or .caffemodel.h5 file"),
        Positional("images", "pictures, or folders of them", repeated=True),
    ),
    flags=(
        Flag("output", "the folder for the results", default="segmented", metavar="FOLDER"),
        Flag("classes", "a text file of class names and colours", default="", metavar="FILE"),
        Flag(
            "size",
            "height,width that pictures are scaled to; 'picture': each as large as it is; without "
            "it the net's input",
            default="",
            metavar="H,W",
        ),
        Flag("output_blob", "the blob with the scores, if the net has several outputs",
             default="", metavar="NAME"),
        Flag("write", "which of the two files", default="both",
             choices=("labels", "overlay", "both")),
        Flag("opacity", "how much of the colours overlays show", "float", 0.6, minimum=0,
             metavar="X"),
        Flag("background", "the class that overlays leave uncoloured; -1: none", "int", 0,
             minimum=-1, maximum=(1 << 16) - 1, metavar="N"),
        MEAN_VALUE_FLAG,
        *INPUT_FLAGS,
        Flag("ext", "the ending of pictures in a folder", default="jpg"),
    ),
    examples=(
        Example(
            "roastery segment deploy.prototxt segnet.caffemodel street.png --mean_value=110",
            "one picture, at the size of the net's input",
        ),
        Example(
            "roastery segment deploy.prototxt deeplab.caffemodel photos/ --size=picture "
            "--mean_value=104.008,116.669,122.675 --classes=voc.txt --output=results",
            "a folder, each picture at its own size, with names of classes",
        ),
    ),
    run=_run,
)  # fmt: skip
