from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_cio.core.audience.holdouts import Stratum, assign, balance

MEMBERS = st.dictionaries(st.text(min_size=1, max_size=8), st.sampled_from(["vip", "new"]), max_size=60)


def counted(newcomers: dict[str, str], assigned: dict[str, bool]) -> list[Stratum]:
    return [
        Stratum(name, len(held), sum(held))
        for name in ("vip", "new")
        if (held := [assigned[member] for member, stratum in newcomers.items() if stratum == name])
    ]


@given(MEMBERS, st.integers(0, 10_000))
def test_every_stratum_holds_out_its_share_to_one_member(members: dict[str, str], share: int) -> None:
    assigned = assign("salt", "winback", share, members, {})
    assert assigned == assign("salt", "winback", share, dict(reversed(members.items())), {})
    assert balance(counted(members, assigned), share).ok


@given(MEMBERS, MEMBERS, st.integers(0, 10_000))
def test_newcomers_continue_where_the_others_ended(
    first: dict[str, str], second: dict[str, str], share: int
) -> None:
    second = {member: stratum for member, stratum in second.items() if member not in first}
    assigned = assign("salt", "winback", share, first, {})
    taken = {row.name: row.members for row in counted(first, assigned)}
    assigned |= assign("salt", "winback", share, second, taken)
    assert balance(counted(first | second, assigned), share).ok


def test_salt_and_experiment_draw_anew() -> None:
    members = {f"c{number}": "all" for number in range(1000)}
    draws = [
        {member for member, held in assign(salt, name, 1000, members, {}).items() if held}
        for salt, name in (("a", "x"), ("b", "x"), ("a", "y"))
    ]
    assert [len(draw) for draw in draws] == [100, 100, 100]
    assert all(len(draws[0] & other) < 40 for other in draws[1:])


def test_the_balance_check_names_the_worst_stratum() -> None:
    found = balance([Stratum("vip", 100, 10), Stratum("new", 100, 30)], 1000)
    assert (found.ok, found.worst, found.deviation, found.members, found.held_out) == (
        False,
        "new",
        20,
        200,
        40,
    )
