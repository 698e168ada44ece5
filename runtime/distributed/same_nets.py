"""Whether ranks train the same parameters by the same rule.

Buckets of gradients, and what a rank takes over from rank 0, follow from the net. Where nets differ
ranks would average what does not belong together, and gloo ends a process that gets more bytes than
it expects.
"""

from __future__ import annotations

from collections.abc import Mapping

from ir.errors import RoasteryError

from ..memory.store import Store
from .ranks import Ranks

_NONE = "nothing"


def compare_nets(ranks: Ranks, store: Store, more: Mapping[str, str] | None = None) -> None:
    """Compare what each rank trains.

    Args:
        more: what else must be the same, by what it is.

    Raises:
        RoasteryError: on all ranks, with the same words; it names a rank and what differs.
    """
    if ranks.count == 1:
        return
    first, *others = ranks.gathered([*(more or {}).items(), *_parameters(store)])
    for rank, other in enumerate(others, 1):
        for number in range(max(len(first), len(other)) if first != other else 0):
            mine, its = (facts[number : number + 1] for facts in (first, other))
            if mine != its:
                raise RoasteryError(
                    f"rank {rank} trains something else than rank 0: it has {_told(its)}, where "
                    f"rank 0 has {_told(mine)}",
                    hint="give all ranks the same solver and net files, and options",
                )


def _parameters(store: Store) -> list[tuple[str, str]]:
    """Each, with all that decides where its gradients lie."""
    return [
        (
            name,
            f"{'x'.join(map(str, variable.type.shape))}, lr_mult {variable.lr_mult:g}, "
            f"decay_mult {variable.decay_mult:g}" + (", shared" if name in store.shared else ""),
        )
        for name, variable in store.variables.items()
        if variable.index >= 0
    ]


def _told(facts: list[tuple[str, str]]) -> str:
    return f"{facts[0][0]} ({facts[0][1]})" if facts else _NONE
