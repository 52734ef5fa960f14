from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from airflow_provider_cio.exceptions import ContractError
from airflow_provider_cio.receiver.settings import load_settings, secret


def written(folder: Path, text: str) -> Path:
    file = folder / "receiver.yaml"
    file.write_text(text)
    return file


def test_durations_and_routes_are_read(tmp_path: Path) -> None:
    settings = load_settings(
        written(
            tmp_path,
            "folder: /data\ns3: s3://bucket/hooks\nroll_after: 5m\n"
            "reporting: {signing_key: KEY, max_age: 8d}\nworkflows:\n  order-review: {secret: TOKEN}\n",
        )
    )
    assert settings.roll_after == timedelta(minutes=5)
    assert settings.reporting is not None
    assert settings.reporting.max_age == timedelta(days=8)
    assert settings.workflows["order-review"].secret == "TOKEN"


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("reporting: {signing_key: KEY, max_age: 5m}", "at least 8d"),
        ("workflows: {review: {secret: TOKEN, payload: {type: nonsense}}}", "not a JSON Schema"),
        ("workflows: {../up: {secret: TOKEN}}", "../up"),
        ("roll: 5", "roll"),
    ],
)
def test_a_mistake_names_its_line(tmp_path: Path, line: str, told: str) -> None:
    with pytest.raises(ContractError, match=r"receiver\.yaml:3: ") as caught:
        load_settings(written(tmp_path, f"folder: /data\ns3: s3://bucket/hooks\n{line}\n"))
    assert told in str(caught.value)


def test_a_route_without_its_secret_is_not_opened() -> None:
    with pytest.raises(ContractError, match="TOKEN is empty"):
        secret("TOKEN", {"TOKEN": ""})
