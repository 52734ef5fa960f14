"""What a receiver counts, as Prometheus reads it."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 4)


class Figures:
    """The counters of one receiver."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._answers = Counter(
            "cio_receiver_answers",
            "Requests by what became of them",
            ("stream", "outcome"),
            registry=self._registry,
        )
        self._seconds = Histogram(
            "cio_receiver_seconds", "From request to answer", buckets=_BUCKETS, registry=self._registry
        )
        self._files = Counter(
            "cio_receiver_files",
            "Write-ahead files by what became of them",
            ("stream", "outcome"),
            registry=self._registry,
        )
        self._backlog = Gauge(
            "cio_receiver_backlog_bytes", "On this disk, not yet in S3", registry=self._registry
        )

    def answer(self, stream: str, outcome: str, seconds: float) -> None:
        """One request was answered: stored, duplicate, or why it was refused."""
        self._answers.labels(stream, outcome).inc()
        self._seconds.observe(seconds)

    def shipping(self, stream: str, outcome: str) -> None:
        """One file was stored in S3, forwarded, or was not."""
        self._files.labels(stream, outcome).inc()

    def backlog(self, size: int) -> None:
        """Bytes that wait here."""
        self._backlog.set(size)

    def page(self) -> bytes:
        """The text exposition format."""
        return generate_latest(self._registry)
