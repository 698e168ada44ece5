"""Sizes that may change: forms over symbols, and the conditions under which they hold."""

from .evaluate import Evaluation
from .form import Symbol
from .form import symbols as symbols_in
from .notation import parse_shape, parse_size, size_text, symbols_of
from .real import Real, value_of
from .scope import Condition, Scope
from .size import (
    Size,
    always_at_least,
    degree,
    form_of,
    larger,
    same_size,
    size_of,
    smaller,
    symbol,
)
from .solving import free_symbols
from .text import form_text

__all__ = [
    "Condition",
    "Evaluation",
    "Real",
    "Scope",
    "Size",
    "Symbol",
    "always_at_least",
    "degree",
    "same_size",
    "form_of",
    "form_text",
    "free_symbols",
    "larger",
    "smaller",
    "parse_shape",
    "parse_size",
    "size_of",
    "size_text",
    "symbol",
    "symbols_in",
    "symbols_of",
    "value_of",
]
