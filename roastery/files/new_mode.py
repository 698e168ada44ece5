"""The permissions of new files, as the user wants them."""

from __future__ import annotations

import os


def new_mode(wanted: int) -> int:
    """``wanted`` without what new files may not be, as the umask says.

    For a file that was made with less, such as one under a temporary name.
    """
    mask = os.umask(0o077)  # which can only be read by setting it; others get nothing meanwhile
    os.umask(mask)
    return wanted & ~mask
