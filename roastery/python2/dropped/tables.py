"""pandas' names."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from .registry import Offer


class _Ix:
    """``frame.ix[...]``: by label where the index has the key, else by number."""

    def __init__(self, owner: Any) -> None:
        self._owner = owner

    def _part(self, key: Any, axis: int) -> tuple[Any, bool]:
        """The key of one axis, and whether it is a label."""
        import numpy as np

        index = self._owner.axes[axis]
        whole = index.dtype.kind in "iu"
        if isinstance(key, slice):
            ends = [end for end in (key.start, key.stop) if end is not None]
            number = all(isinstance(end, int | np.integer) for end in ends)
            return key, whole or not number
        if isinstance(key, list | tuple | np.ndarray) or hasattr(key, "dtype"):
            values = np.asarray(key)
            return key, whole or values.dtype.kind not in "iu"
        return key, whole or not isinstance(key, int | np.integer)

    def _keys(self, key: Any) -> tuple[Any, Any]:
        """The object that takes the keys, and the keys for it."""
        keys = key if isinstance(key, tuple) else (key,)
        parts = [self._part(part, axis) for axis, part in enumerate(keys)]
        if all(label for _, label in parts):
            return self._owner.loc, key
        if not any(label for _, label in parts):
            return self._owner.iloc, key
        found = []
        for axis, (part, label) in enumerate(parts):
            if label:
                found.append(part)
            else:  # a number beside a label: the labels at those numbers
                found.append(self._owner.axes[axis][part])
        return self._owner.loc, tuple(found)

    def __getitem__(self, key: Any) -> Any:
        where, keys = self._keys(key)
        return where[keys]

    def __setitem__(self, key: Any, value: Any) -> None:
        where, keys = self._keys(key)
        where[keys] = value


def mend_pandas(pd: ModuleType, offer: Offer) -> None:
    frame: Any = pd.DataFrame
    series: Any = pd.Series
    for kind in (frame, series):
        offer.add(
            kind,
            append=_append(pd),
            as_matrix=lambda self, columns=None: (
                self if columns is None else self[columns]
            ).to_numpy(),
            get_values=lambda self: self.to_numpy(),
            iteritems=lambda self: iter(self.items()),
            iterkv=lambda self: iter(self.items()),
            ix=property(_Ix),
            mad=lambda self, axis=0: (self - self.mean()).abs().mean(),
            pad=lambda self, *args, **kwargs: self.ffill(*args, **kwargs),
            order=lambda self, **kwargs: self.sort_values(**kwargs),
            convert_objects=lambda self, **kwargs: self.infer_objects(),
        )
    for kind in (frame, series):
        offer.replace(kind, "to_csv", _to_csv)
        offer.replace(kind, "to_hdf", _to_hdf)
    offer.add(
        frame,
        applymap=lambda self, function, **kwargs: self.map(function, **kwargs),
        from_csv=classmethod(_from_csv(pd)),
        get_value=lambda self, row, column, takeable=False: (self.iat if takeable else self.at)[
            row, column
        ],
        set_value=_set_value,
        lookup=lambda self, rows, columns: __import__("numpy").array(
            [self.at[row, column] for row, column in zip(rows, columns, strict=True)]
        ),
        sort=_sort,
    )
    offer.add(
        pd,
        TimeSeries=series,
        rolling_mean=lambda values, window, **kwargs: _rolling(pd, values, window).mean(),
        rolling_std=lambda values, window, **kwargs: _rolling(pd, values, window).std(),
        rolling_sum=lambda values, window, **kwargs: _rolling(pd, values, window).sum(),
        rolling_median=lambda values, window, **kwargs: _rolling(pd, values, window).median(),
        ewma=lambda values, **kwargs: values.ewm(**kwargs).mean(),
        Int64Index=pd.Index,
        Float64Index=pd.Index,
        get_store=pd.HDFStore,
        scatter_matrix=lambda *args, **kwargs: pd.plotting.scatter_matrix(*args, **kwargs),
        value_counts=lambda values, **kwargs: pd.Series(values).value_counts(**kwargs),
    )


def _to_csv(function: Any) -> Any:
    def to_csv(self: Any, path: Any = None, *args: Any, **words: Any) -> Any:
        from ..names.files import binary_stream

        if "cols" in words:
            words.setdefault("columns", words.pop("cols"))
        if args:
            words["sep"] = args[0]
        return function(self, binary_stream(path), **words)

    return to_csv


def _to_hdf(function: Any) -> Any:
    def to_hdf(self: Any, path: Any, key: Any, **words: Any) -> Any:
        return function(self, path, key=key, **words)

    return to_hdf


def _rolling(pd: Any, values: Any, window: Any) -> Any:
    return (values if hasattr(values, "rolling") else pd.Series(values)).rolling(window)


def _append(pd: Any) -> Any:
    def append(
        self: Any, other: Any, ignore_index: bool = False, verify_integrity: bool = False, **w: Any
    ) -> Any:
        if isinstance(self, pd.DataFrame):
            if isinstance(other, dict):
                other = pd.DataFrame([other])
            elif isinstance(other, pd.Series):
                other = other.to_frame().T
            elif isinstance(other, list) and other and not hasattr(other[0], "columns"):
                other = pd.DataFrame(other)
        others = other if isinstance(other, list | tuple) else [other]
        parts = [part for part in (self, *others) if len(part) or len(self.axes) == 1]
        if not parts:
            return self.copy()
        made = pd.concat(parts, ignore_index=ignore_index, verify_integrity=verify_integrity)
        if not len(self) and isinstance(self, pd.DataFrame):  # its columns come first all the same
            made = made.reindex(columns=[*self.columns, *made.columns.difference(self.columns)])
        return made

    return append


def _from_csv(pd: Any) -> Any:
    def from_csv(cls: Any, path: Any, sep: str = ",", index_col: Any = 0, **words: Any) -> Any:
        words.pop("parse_dates", None)
        return pd.read_csv(path, sep=sep, index_col=index_col, **words)

    return from_csv


def _set_value(self: Any, row: Any, column: Any, value: Any, takeable: bool = False) -> Any:
    (self.iat if takeable else self.at)[row, column] = value
    return self


def _sort(self: Any, columns: Any = None, **words: Any) -> Any:
    columns = words.pop("by", columns)
    if columns is None:
        return self.sort_index(**words)
    return self.sort_values(columns, **words)
