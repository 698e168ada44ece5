"""A compiler for Caffe nets: the public interface."""

from .house import check_house

check_house()

from ._version import __version__  # noqa: E402

__all__ = ["__version__"]
