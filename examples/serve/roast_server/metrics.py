"""What Prometheus reads of the server."""

from __future__ import annotations

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)

disable_created_metrics()  # a series more for each of ours

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_ROWS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)


class Metrics:
    """Of one server. Labels have few values, whatever clients send."""

    def __init__(self) -> None:
        self._registry = registry = CollectorRegistry()
        self.requests = Counter(
            "roast_requests", "Answers of /predict", ["status"], registry=registry
        )
        self.errors = Counter("roast_errors", "Why not", ["reason"], registry=registry)
        self.seconds = Histogram(
            "roast_request_seconds", "From a request's headers to its answer",
            buckets=_SECONDS, registry=registry,
        )  # fmt: skip
        self.run_seconds = Histogram(
            "roast_run_seconds", "A run of the net", buckets=_SECONDS, registry=registry
        )
        self.batch_rows = Histogram(
            "roast_batch_rows", "Rows that ran at once, without padding",
            buckets=_ROWS, registry=registry,
        )  # fmt: skip
        self.depth = Gauge("roast_queue_depth", "Requests that wait to run", registry=registry)
        self.in_progress = Gauge(
            "roast_requests_in_progress", "Requests that are being read, wait or run",
            registry=registry,
        )  # fmt: skip
        self.ready = Gauge("roast_ready", "1: the net is loaded", registry=registry)

    def text(self) -> bytes:
        """Prometheus' text format."""
        return generate_latest(self._registry)
