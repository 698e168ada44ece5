"""Which errors a script of Python 2 makes in Python 3."""

from __future__ import annotations

import re
import sys

from .rewrite.offered import OFFERED, RENAMED_IMPORTS

FLAG = "roastery python --py2"

_SYNTAX = re.compile(
    r"Missing parentheses in call to '(print|exec)'"
    r"|multiple exception types must be parenthesized"
    r"|leading zeros in decimal integer literals"
    r"|invalid decimal literal|invalid hexadecimal literal|inconsistent use of tabs"
    r"|unindent does not match"
    r"|\(unicode error\)"
)
_METHODS = (
    "iteritems", "iterkeys", "itervalues", "has_key", "viewitems", "viewkeys", "viewvalues", "next",
    "decode", "tostring",
)  # fmt: skip
_GONE_NAMES = re.compile(
    r"module '(?:numpy|scipy|skimage|pandas|PIL|matplotlib|string|itertools|os|sys|time|urllib"
    r"|types|collections|operator|inspect|cv2)[\w.]*' has no attribute"
    r"|(?:DataFrame|Series)' object has no attribute '(?:ix|append|iteritems|as_matrix|sort)'"
)
_GONE_FROM = re.compile(r"from '(?:itertools|string|scipy\.\S+|skimage\S*|urllib|numpy|PIL|os)'")
_TYPES = re.compile(
    r"'(?:dict_keys|dict_values|dict_items|map|filter|zip|range)' object"
    r"|a bytes-like object is required, not 'str'|write\(\) argument must be str, not bytes"
    r"|unsupported operand type\(s\) for >>: 'builtin_function_or_method'"
    r"|'float' object cannot be interpreted as an integer|integer or None or have an __index__"
    r"|sort\(\) takes no positional|'cmp' is an invalid keyword"
    r"|got an unexpected keyword argument 'cmp'"
    r"|read\(\) returned str|a bytes-like object|concat str to bytes|multichannel"
    r"|indices must be integers or slices, not float|a single integer, got '\d+\.\d*'"
    r"|only integer scalar arrays|slice indices must be integers"
    r"|not supported between instances of"
)


def python2_reason(error: BaseException) -> str:
    """Why an exception looks like one of a Python 2 script; empty: it does not."""
    text = str(error)
    if isinstance(error, SyntaxError):
        return _syntax(error)
    if isinstance(error, ModuleNotFoundError):
        name = (error.name or "").partition(".")[0]
        gone = RENAMED_IMPORTS.get(name)
        if gone and not gone.startswith("PIL."):
            return f"the module {name} is one of Python 2's"
        return ""
    if isinstance(error, ImportError):
        if re.search(
            r"from '(?:itertools|string|scipy\.\S+|skimage\S*|urllib|numpy|PIL|os)'", text
        ):
            return "a module has dropped a name"
        return ""
    if isinstance(error, NameError):
        name = error.name or ""
        return f"{name} is a name of Python 2" if name in OFFERED else ""
    if isinstance(error, AttributeError):
        if error.name in _METHODS and "object has no attribute" in text:
            return f"{error.name} is a method of Python 2's"
        return "a library has dropped a name" if _GONE_NAMES.search(text) else ""
    if isinstance(error, TypeError | IndexError):
        return "Python 2 took it" if _TYPES.search(text) else ""
    if isinstance(error, OverflowError) and re.search(r"out of bounds for u?int", text):
        return "numpy took it"
    if isinstance(error, UnicodeDecodeError):
        return "Python 2 read any bytes from a text file"
    return ""


def _syntax(error: SyntaxError) -> str:
    text = (error.text or "").strip()
    if _SYNTAX.search(error.msg or ""):
        return "Python 2 takes this line"
    if re.match(r"(print\b|exec\b|raise\s+\w[\w.]*\s*,|except\b.*,)", text):
        return "Python 2 takes this line"
    if "<>" in text or "`" in text or re.search(r"\b(0\d+|\d+[lL])\b|\bur['\"]", text):
        return "Python 2 takes this line"
    if re.match(r"(def\b|lambda\b).*\(.*\(", text):
        return "Python 2 takes this line"
    return ""


def say_python2(error: BaseException) -> None:
    """After a traceback: which flag a script of Python 2 needs."""
    reason = python2_reason(error)
    if reason:
        sys.stdout.flush()
        print(f"hint: {reason}: if the script is Python 2, run it by `{FLAG}`", file=sys.stderr)
