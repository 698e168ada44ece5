"""What a driver gave, given back when nothing refers to it any more."""

from __future__ import annotations


class Released:
    """Closed when nothing refers to it, at the latest at the interpreter's exit.

    The context may be gone by then, and so may what modules hold: ``contextlib`` or ``c_void_p``
    is None. Also an object whose making failed has a ``close``, which finds no handle.
    """

    def close(self) -> None:
        """Give it back; once."""
        raise NotImplementedError

    def __del__(self) -> None:
        try:
            self.close()
        except Exception:
            return  # nobody could do anything about it
