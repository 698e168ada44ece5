"""What the layers of an artifact's net take, as ``net.summary()`` prints it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from compiler.plan.codec import from_json, to_json
from compiler.plan.saved import sizes_from_json, symbols_in_data
from ir.size import Scope, value_of

from ..layer_counts import NetCount
from .container import LAYERS, json_bytes, json_value
from .errors import MALFORMED, ArtifactError


@dataclass(frozen=True, slots=True)
class ArtifactLayers:
    """Counts at all sizes.

    Attributes:
        count: its numbers are forms over the symbols in ``sizes``, by their names, which have the
            values of the export.
    """

    count: NetCount
    sizes: Mapping[str, int]

    def at(self, sizes: Mapping[str, int]) -> NetCount:
        """Where the artifact's symbols have these values; others have those of the export.

        Raises ValueError, and ArithmeticError, for forms that cannot be counted there.
        """
        return self.count.at({**self.sizes, **sizes})


def layer_members(count: NetCount | None) -> dict[str, bytes]:
    """The member that holds it; none where nobody counted, or forms are too long to be read."""
    if count is None:
        return {}
    symbols = sorted(set(symbols_in_data(count)), key=lambda symbol: symbol.number)
    sizes = {symbol.key: symbol.value for symbol in symbols}
    data = json_bytes({"sizes": sizes, **to_json(count)})
    try:
        read_layers(data)
    except ValueError:
        return {}
    return {LAYERS: data}


def count_at(data: bytes | None, sizes: Mapping[str, int], path: object) -> NetCount:
    """What a member says of the layers at sizes.

    Args:
        data: None: there is none. path: of the artifact.

    Raises :class:`ArtifactError`.
    """
    if data is None:
        raise ArtifactError(
            path,
            "does not say what layers it was made of",
            hint="export the net again; `roastery inspect` shows what is in the file",
        )
    try:
        return read_layers(data).at(sizes)
    except (*MALFORMED, ArithmeticError) as error:
        raise ArtifactError(path, f"{LAYERS} is malformed: {error}") from error


def read_layers(data: bytes) -> ArtifactLayers:
    """Inverse of :func:`layer_members`. Raises ValueError."""
    rest = dict(from_json(dict, json_value(data), LAYERS))
    scope = Scope()
    sizes = sizes_from_json(rest.pop("sizes", None), scope)
    scope.close()
    count = from_json(NetCount, rest, LAYERS, sizes)
    return ArtifactLayers(count, {name: value_of(size) for name, size in sizes.items()})
