"""What a broken or hostile artifact raises."""

from __future__ import annotations

from ir.errors import RoasteryError


class ArtifactError(RoasteryError):
    """The file is not a sound artifact; the message names the file and what is wrong in it."""

    def __init__(self, path: object, message: str, *, hint: str | None = None) -> None:
        super().__init__(f"{path}: {message}", hint=hint)

    @classmethod
    def of(cls, error: RoasteryError) -> ArtifactError:
        """What is known of the file in other words, as an error of this kind."""
        made = cls("", "")
        RoasteryError.__init__(made, error.message, hint=error.hint)
        return made


MALFORMED = (ValueError, TypeError, RecursionError, MemoryError)
"""What data of unknown origin leads to, where it is read."""
