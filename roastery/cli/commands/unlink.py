"""``roastery unlink``: takes away what ``roastery link`` has written."""

from __future__ import annotations

from ..command import Arguments, Command, Example
from ..say import say
from .link import PLACE_FLAGS, chosen_folder


def _run(arguments: Arguments) -> None:
    from ...linking.link import unlink

    target, left = unlink(chosen_folder(arguments))
    if target is None:
        say("nothing is linked there")
    else:
        say(f"removed {target}" if not left else f"unlinked {target}")
    for name in left:
        say(f"kept {name}, which is not as `roastery link` wrote it")


COMMAND = Command(
    name="unlink",
    summary="Take away what `roastery link` wrote",
    group="Machine",
    description="""
        Removes the package `caffe` that `roastery link` has written, file by file: what was
        changed since, and files of others, stay and are named.
    """,
    flags=PLACE_FLAGS,
    examples=(Example("roastery unlink", "`import caffe` is no longer Roastery"),),
    run=_run,
)
