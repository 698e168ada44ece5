"""One module per command, named after it, with a ``COMMAND`` that declares it.

A module here is imported when its command runs, and all of them for ``roastery --help``. That must
stay fast, so a module imports only the standard library and ``roastery.cli`` at its top, and the
rest inside ``run``.
"""
