"""``roastery shims``: Caffe's programs where its shell recipes look for them."""

from __future__ import annotations

from ..command import Arguments, Command, Example, Flag, Positional
from ..say import say


def _run(arguments: Arguments) -> None:
    from ...tools.shims import lay_out_shims, take_shims_away

    if arguments.remove:
        for path in take_shims_away(arguments.folder):
            say(f"removed {path}")
        return
    made, kept = lay_out_shims(arguments.folder)
    say(f"{len(made)} programs in {arguments.folder}: {', '.join(made[:4])} ...")
    for path in kept:
        how = f": `roastery python {path}` runs it" if path.endswith(".py") else ""
        say(f"kept {path}, which was there{how}")


COMMAND = Command(
    name="shims",
    summary="Lay out Caffe's programs for its shell recipes",
    group="Machine",
    description="""
        Makes build/tools/caffe, build/tools/convert_imageset and all the others in FOLDER, with and
        without .bin, those of build/examples (mnist/convert_mnist_data,
        cpp_classification/classification ...), python/classify.py, detect.py, draw_net.py and
        train.py, tools/extra/parse_log.py and parse_log.sh, the link .build_release, and
        python/caffe for scripts that put that folder on their path. Each program runs Roastery with
        this Python, by the name that it is called, so that recipes such as
        examples/mnist/create_mnist.sh run as they are: in a checkout of Caffe that nobody has
        built, or in any folder.

        A link named `caffe` to `roastery` does what Caffe's binary does, too.

        Programs of a Caffe that has been built are never replaced: that is an error. Scripts of a
        checkout stay as they are. --remove takes away what was made.
    """,
    positionals=(Positional("folder", "where Caffe would be, such as ."),),
    flags=(Flag("remove", "take away what `roastery shims` has made there", "bool", False),),
    examples=(
        Example("roastery shims .", "then ./examples/mnist/create_mnist.sh"),
        Example("roastery shims . --remove", "take them away"),
    ),
    run=_run,
)
