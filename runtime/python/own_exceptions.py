"""Exceptions of a user's own code on their way out of ours."""

from __future__ import annotations

from contextlib import ContextDecorator
from types import TracebackType

from runtime.python.layer import PythonLayerError
from runtime.python.layer_notes import add_note


class own_exceptions(ContextDecorator):
    """``with own_exceptions():`` what a Python layer raised arrives as it was raised.

    The very object: its class, its arguments, its cause. A note on it names the layer and its
    line in the prototxt.

    A class, not a generator: StopIteration would leave one as RuntimeError, and contextlib writes
    to attributes that an exception may have locked.
    """

    def __enter__(self) -> None:
        pass

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if not isinstance(error, PythonLayerError) or error.raised is None:
            return
        raised = error.raised
        add_note(raised, str(error))
        context = raised.__context__
        try:
            raise raised
        finally:
            # Raising here made our error its context; it has one of its own, or none.
            BaseException.__setattr__(raised, "__context__", context)
