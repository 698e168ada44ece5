"""`roastery tune_solver`: which settings of a solver train a net best."""

from .search import SearchRequest, search
from .space import SearchSpace, searchable_fields

__all__ = ["SearchRequest", "SearchSpace", "search", "searchable_fields"]
