from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ulid import ULID

from airflow_provider_cio.core.event_id import ulid


@given(st.text(), st.text(), st.text(), st.integers(0, (1 << 48) - 1))
def test_it_is_a_ulid_with_the_time_of_the_event(workspace: str, sync: str, key: str, moment: int) -> None:
    text = ulid(workspace, sync, key, moment)
    assert len(text) == 26
    assert ULID.from_str(text).bytes[:6] == moment.to_bytes(6)
    assert ulid(workspace, sync, key, moment) == text


@given(
    st.lists(
        st.tuples(st.text(), st.integers(0, (1 << 48) - 1)),
        min_size=2,
        max_size=30,
        unique_by=lambda row: row[0],
    )
)
def test_ids_are_unique_and_sort_by_time(events: list[tuple[str, int]]) -> None:
    ids = [(moment, ulid("shop", "orders", key, moment)) for key, moment in events]
    assert len({text for _, text in ids}) == len(events)
    assert [moment for moment, _ in sorted(ids, key=lambda row: row[1])] == sorted(m for m, _ in ids)


def test_a_known_value_never_changes() -> None:
    """Ids already sent are recognised only as long as this holds."""
    assert ulid("shop", "orders", "A-1", 1_700_000_000_000) == "01HF7YAT001GS1X8KJ3VVGTA7Y"


def test_the_lengths_keep_workspace_sync_and_key_apart() -> None:
    ids = {ulid("a", "bc", "d", 0), ulid("ab", "c", "d", 0), ulid("a", "b", "cd", 0)}
    assert len(ids) == 3


@pytest.mark.parametrize("moment", [-1, 1 << 48])
def test_a_time_that_does_not_fit_is_refused(moment: int) -> None:
    with pytest.raises(ValueError, match="1970"):
        ulid("shop", "orders", "A-1", moment)
