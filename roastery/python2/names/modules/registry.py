"""Which modules look different to rewritten code, and where that is said."""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import Any

#: The module's name and the function in this folder that gives its old names, or others over them.
_FACADES = {
    "ConfigParser": "config:config_parser",
    "StringIO": "texts:string_io",
    "UserDict": "containers:user_dict",
    "__builtin__": "system:builtin",
    "array": "arrays:array_names",
    "base64": "digests:base64_names",
    "binascii": "digests:binascii_names",
    "bz2": "archives:bz2_names",
    "cPickle": "pickles:pickle_names",
    "cStringIO": "texts:string_io",
    "codecs": "texts:codecs_names",
    "collections": "containers:collections_names",
    "commands": "system:commands",
    "csv": "texts:csv_names",
    "exceptions": "system:exceptions",
    "fractions": "containers:fractions_names",
    "gzip": "archives:gzip_names",
    "hashlib": "digests:hashlib_names",
    "html.parser": "texts:html_parser",
    "imp": "system:imp",
    "inspect": "system:inspect_names",
    "itertools": "containers:itertools_names",
    "json": "texts:json_names",
    "leveldb": "databases:leveldb",
    "lmdb": "databases:lmdb_names",
    "md5": "digests:md5",
    "numpy": "arrays:numpy_names",
    "numpy.random": "arrays:random_names",
    "operator": "containers:operator_names",
    "os": "system:os_names",
    "os.path": "system:path_names",
    "pickle": "pickles:pickle_names",
    "platform": "system:platform_names",
    "pylab": "arrays:pylab_names",
    "random": "chances:choice_names",
    "sets": "containers:sets",
    "sha": "digests:sha",
    "socket": "network:socket_names",
    "string": "texts:string_names",
    "struct": "digests:struct_names",
    "subprocess": "processes:subprocess_names",
    "sys": "system:sys_names",
    "tarfile": "archives:tarfile_names",
    "tempfile": "temporary:tempfile_names",
    "threading": "system:threading_names",
    "time": "system:time_names",
    "types": "containers:types_names",
    "urllib": "network:urllib_names",
    "urllib2": "network:urllib2",
    "urllib.parse": "network:urlparse",
    "zipfile": "archives:zipfile_names",
    "zlib": "digests:zlib_names",
}

_made: dict[str, Facade] = {}


def has_facade(name: str) -> bool:
    return name in _FACADES


def facade(name: str, real: ModuleType | None) -> ModuleType:
    """The module as rewritten code sees it; a script's own module of that name is itself."""
    if real is not None and not _is_known(real, name):
        return real
    if name not in _made:
        file, function = _FACADES[name].split(":")
        module = importlib.import_module(f"{__package__}.{file}")
        names = getattr(module, function)(*([] if real is None else [real]))
        _made[name] = Facade(name, real, names)
    return _made[name]


def _is_known(real: ModuleType, name: str) -> bool:
    """Whether it is the library's own module, not one of the script's that is called so."""
    if name.partition(".")[0] not in sys.stdlib_module_names:
        return True
    place = getattr(real, "__file__", None) or ""
    known = (sys.prefix, sys.base_prefix, "<frozen", *_LIBRARY)
    return not place or place.startswith(known)


_LIBRARY = (importlib.__file__.rpartition("/importlib/")[0],)


#: Among the names of a module: those whose values are made when they are asked for.
COMPUTED = "_computed"


class Facade(ModuleType):
    """A module with other names over those of a real one. What is set is set there."""

    def __init__(self, name: str, real: ModuleType | None, names: dict[str, Any]) -> None:
        super().__init__(name, getattr(real, "__doc__", None))
        made = names.pop(COMPUTED, {})
        vars(self).update(names, _real=real, _own=frozenset(names), _computed=made)

    def __getattr__(self, name: str) -> Any:
        real = vars(self)["_real"]
        if name in (computed := vars(self)["_computed"]):
            return computed[name]()
        if name == "__all__":
            return sorted(self._own | set(_public(real)))
        if real is None:
            raise AttributeError(f"module '{self.__name__}' has no attribute '{name}'")
        return getattr(real, name)

    def __setattr__(self, name: str, value: Any) -> None:
        real = vars(self)["_real"]
        if real is None or name in self._own:
            vars(self)[name] = value
        if real is not None and name not in self._own:
            setattr(real, name, value)

    def __delattr__(self, name: str) -> None:
        if name in vars(self):
            del vars(self)[name]
        else:
            delattr(self._real, name)

    def __dir__(self) -> list[str]:
        return sorted({*vars(self), *dir(self._real)})


def _public(real: ModuleType | None) -> list[str]:
    if real is None:
        return []
    names = getattr(real, "__all__", None) or [n for n in vars(real) if not n.startswith("_")]
    return [str(name) for name in names]
