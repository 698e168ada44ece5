"""The queue in this process: what comes late, what cannot run, what has another size."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.usefixtures("server_modules")


@pytest.fixture
def loaded(net_folder: Path) -> tuple[Any, Any]:
    from roast_server.engine import RoasteryEngine
    from roast_server.rows import find_rows

    engine = RoasteryEngine(net_folder / "net.roast", "reference")
    return engine, find_rows(engine, 4)


def data(height: int = 6) -> dict[str, np.ndarray]:
    return {"data": np.zeros((1, 3, height, 8), np.float32)}


def test_who_waits_too_long_is_given_up(loaded: tuple[Any, Any]) -> None:
    from roast_server.batching import BatchQueue
    from roast_server.metrics import Metrics
    from roast_server.problems import Problem

    async def late() -> None:
        metrics = Metrics()
        queue = BatchQueue(*loaded, metrics, 60.0, 1)
        for _ in range(2):  # the second has room again
            with pytest.raises(Problem) as problem:
                await queue.answer(data(), 1, 0.05)
            assert problem.value.status == 504
            assert b"roast_queue_depth 0.0" in metrics.text()
        await queue.close()

    asyncio.run(late())


def test_sizes_that_it_cannot_have_harm_no_other(loaded: tuple[Any, Any]) -> None:
    from roast_server.batching import BatchQueue
    from roast_server.inputs import checked_inputs
    from roast_server.metrics import Metrics
    from roast_server.problems import Problem

    engine, rows = loaded
    with pytest.raises(Problem, match="has shape"):
        checked_inputs(data(7), engine, rows, any_size=False)
    other = checked_inputs(data(7), engine, rows, any_size=True)  # the layers know better

    async def together() -> list[Any]:
        queue = BatchQueue(engine, rows, Metrics(), 0.05, 8)
        sent = [data(), other.arrays, data()]
        found = await asyncio.gather(
            *(queue.answer(each, 1, 30.0) for each in sent), return_exceptions=True
        )
        await queue.close()
        return found

    first, problem, last = asyncio.run(together())
    assert isinstance(problem, Problem)
    assert problem.status == 422
    assert "cannot take this one" in problem.error
    np.testing.assert_array_equal(first["prob"], last["prob"])


def test_rows_of_several_requests_fill_a_batch(loaded: tuple[Any, Any]) -> None:
    """Three of three rows do not fit into four together; one of one row fits with the first."""
    from roast_server.batching import BatchQueue
    from roast_server.metrics import Metrics

    rng = np.random.default_rng(3)
    sent = [rng.random((n, 3, 6, 8), np.float32) for n in (3, 3, 1, 3)]
    engine, rows = loaded

    async def together() -> tuple[list[Any], bytes]:
        metrics = Metrics()
        queue = BatchQueue(engine, rows, metrics, 0.2, 8)
        found = await asyncio.gather(*(queue.answer({"data": a}, len(a), 30.0) for a in sent))
        await queue.close()
        return found, metrics.text()

    found, text = asyncio.run(together())
    assert b"roast_batch_rows_count 3.0" in text
    assert b'roast_batch_rows_bucket{le="4.0"} 3.0' in text
    for answer, array in zip(found, sent, strict=True):
        alone = engine.run({"data": array})["prob"]
        np.testing.assert_allclose(answer["prob"], alone, rtol=1e-4, atol=1e-6)
