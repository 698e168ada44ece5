"""Requests that come together run together; there is room for so many."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from tests.support.roast_servers import serving


def posted(client: Any, array: np.ndarray) -> Any:
    return client.post("/predict", json=array.tolist())


def metric(client: Any, name: str) -> float:
    found = re.search(rf"^{name} (\S+)$", client.get("/metrics").text, re.M)
    assert found
    return float(found[1])


def test_batches_gather(net_folder: Path) -> None:
    arrays = np.random.default_rng(2).uniform(0, 1, (16, 1, 3, 6, 8))
    words = ["--max-batch=8", "--max-wait-ms=200"]
    with serving(net_folder / "net.roast", *words) as client, ThreadPoolExecutor(16) as threads:
        alone = [posted(client, array).json()["outputs"]["prob"][0] for array in arrays[:2]]
        before = metric(client, "roast_batch_rows_count")
        answers = list(threads.map(lambda array: posted(client, array), arrays))
        runs = metric(client, "roast_batch_rows_count") - before
        assert [answer.status_code for answer in answers] == [200] * 16
        rows = [answer.json()["outputs"]["prob"][0] for answer in answers]
        np.testing.assert_allclose(rows[:2], alone, rtol=1e-4)
        assert len({tuple(row) for row in rows}) == 16  # each its own
        assert runs < 9


def test_a_full_queue(net_folder: Path) -> None:
    """One waits for others to run with, and there is no room for those."""
    words = ["--max-batch=2", "--max-wait-ms=400", "--max-queue=1"]
    array = np.zeros((1, 3, 6, 8))
    with serving(net_folder / "net.roast", *words) as client, ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda _: posted(client, array), range(4)))
        codes = sorted(answer.status_code for answer in answers)
        assert set(codes) == {200, 503}
        refused = next(answer for answer in answers if answer.status_code == 503)
        assert int(refused.headers["Retry-After"]) >= 1
        assert refused.json().keys() == {"error", "hint"}
        assert posted(client, array).status_code == 200
