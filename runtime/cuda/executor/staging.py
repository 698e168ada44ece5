"""Room on the device for what comes next."""

from __future__ import annotations

import numpy as np

from .session import Session


class Staging:
    """Room on the device for the next contents of a memory, filled while the last are in use."""

    def __init__(self, session: Session, nbytes: int) -> None:
        self._session = session
        self._room = session.device.allocate(nbytes)
        self._uploaded = session.device.event()
        self._taken = session.device.event()
        self._used = False
        self._held: np.ndarray | None = None  # the device still reads from it

    def move(
        self, address: int, values: np.ndarray, dtype: np.dtype, *, lasting: bool = False
    ) -> None:
        """Copy ``values``, as numbers of type ``dtype``, to ``address`` when it is its turn on the
        compute stream.

        Args:
            lasting: they do not change any more, so that they may be read later.
        """
        session = self._session
        if self._used:
            self._uploaded.synchronize()  # two passes ago: only then may the source go
            session.copies.wait(self._taken)
        room = self._room.address
        if lasting and values.dtype == dtype:
            self._held = values
            session.uploads.upload(session.copies, room, values)
        else:
            self._held = None
            session.uploads.convert(session.copies, room, values, dtype)
        session.copies.record(self._uploaded)
        session.compute.wait(self._uploaded)
        session.compute.copy(address, room, values.size * dtype.itemsize)
        session.compute.record(self._taken)
        self._used = True
