from __future__ import annotations

import pytest

from airflow_provider_cio.engine.progress import Progress, duration


def test_a_line_every_ten_seconds_with_rate_and_time_left(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    now = 0.0
    progress = Progress("Plan P shard 3", 100_000, clock=lambda: now)
    for second in range(1, 26):
        now = float(second)
        progress.add(1000)
    assert caplog.messages == [
        "Plan P shard 3: 10,000 of 100,000 rows (10 %), 1,000 rows/s, about 1 min 30 s left",
        "Plan P shard 3: 20,000 of 100,000 rows (20 %), 1,000 rows/s, about 1 min 20 s left",
    ]


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.4, "0 s"), (59.4, "59 s"), (60, "1 min 0 s"), (7500, "2 h 5 min")]
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text
