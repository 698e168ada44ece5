"""Commands of solvers. Caffe: matlab/+caffe/Solver.m, private/caffe_.cpp."""

from __future__ import annotations

from ..caffe import get_solver
from ..caffe.solver import Solver
from .arguments import MexArguments
from .objects import OBJECTS
from .results import NOTHING, Result, mx_handles, mx_number, mx_record


def _held_solver(given: MexArguments) -> Solver:
    solver: Solver = OBJECTS.find("Solver", given.handle(0)).thing
    return solver


def _get_solver(given: MexArguments) -> Result:
    return mx_handles(OBJECTS.key, [OBJECTS.add("Solver", get_solver(given.path(0)))])


def _delete_solver(given: MexArguments) -> Result:
    OBJECTS.forget(given.handle(0))
    return NOTHING


def _solver_get_attr(given: MexArguments) -> Result:
    held, own = OBJECTS.find("Solver", given.handle(0)), given.handle(0)[0]
    solver: Solver = held.thing
    if "net" not in held.told:
        held.told["net"] = [OBJECTS.add("Net", solver.net, own)]
        held.told["test_nets"] = [OBJECTS.add("Net", net, own) for net in solver.test_nets]
    return mx_record(
        {
            "hNet_net": mx_handles(OBJECTS.key, held.told["net"]),
            "hNet_test_nets": mx_handles(OBJECTS.key, held.told["test_nets"]),
        }
    )


def _solver_get_iter(given: MexArguments) -> Result:
    return mx_number(_held_solver(given).iter)


def _solver_get_max_iter(given: MexArguments) -> Result:
    return mx_number(_held_solver(given).param.max_iter)


def _solver_restore(given: MexArguments) -> Result:
    _held_solver(given).restore(given.path(1))
    return NOTHING


def _solver_snapshot(given: MexArguments) -> Result:
    _held_solver(given).snapshot()
    return NOTHING


def _solver_solve(given: MexArguments) -> Result:
    _held_solver(given).solve()
    return NOTHING


def _solver_step(given: MexArguments) -> Result:
    _held_solver(given).step(given.whole(1))
    return NOTHING


def _solver_update(given: MexArguments) -> Result:
    _held_solver(given).apply_update()
    return NOTHING


COMMANDS = {
    "get_solver": _get_solver,
    "delete_solver": _delete_solver,
    "solver_get_attr": _solver_get_attr,
    "solver_get_iter": _solver_get_iter,
    "solver_get_max_iter": _solver_get_max_iter,
    "solver_restore": _solver_restore,
    "solver_snapshot": _solver_snapshot,
    "solver_solve": _solver_solve,
    "solver_step": _solver_step,
    "solver_update": _solver_update,
}
