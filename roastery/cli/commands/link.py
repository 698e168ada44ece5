"""``roastery link``: ``import caffe`` is Roastery in this environment, for good."""

from __future__ import annotations

from ..command import Arguments, Command, Example, Flag, UsageError
from ..say import say


def _run(arguments: Arguments) -> None:
    from ...linking.link import link

    target = link(chosen_folder(arguments))
    say(f"`import caffe` is Roastery now: {target}")
    say("`roastery unlink` undoes it")


def chosen_folder(arguments: Arguments) -> str | None:
    """The folder that ``--user`` or ``--folder`` names; None for this Python's."""
    from ...linking.link import user_site

    if arguments.user and arguments.folder:
        raise UsageError("give --user or --folder, but not both")
    return str(user_site()) if arguments.user else arguments.folder


PLACE_FLAGS = (
    Flag("user", "in your own folder of packages, where the system's is not yours", "bool", False),
    Flag("folder", "in this folder of Python's path", metavar="FOLDER"),
)

COMMAND = Command(
    name="link",
    summary="Let `import caffe` be Roastery in this environment",
    group="Machine",
    description="""
        Writes a small package `caffe` beside the packages of the Python that runs this command, so
        that notebooks, editors and scripts under plain `python` find roastery.caffe under Caffe's
        name, with types and names for editors to complete. Nobody gets it unasked: installing
        Roastery does not write it.

        A caffe that is there already is never hidden: that is an error. `roastery unlink` removes
        exactly what was written.
    """,
    flags=PLACE_FLAGS,
    examples=(
        Example("roastery link", "then jupyter lab, and `import caffe` in a notebook"),
        Example("roastery link --user", "with a Python of the system's"),
    ),
    run=_run,
)
