"""What a sync does about exits, strange plans and lateness."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from airflow_provider_cio.core.contract.words import ColumnName, Duration, Model, Percent


class SetFlag(Model):
    """``on_exit: {set_flag: {attribute: is_gone}}``: a row that left the source gets this attribute, true."""

    attribute: str = Field(description="The attribute that says so")
    value: bool | int | str = Field(default=True, description="Its value")


class ExitFlag(Model):
    """The `on_exit` that sets a flag."""

    set_flag: SetFlag = Field(description="Write an attribute")


class LeaveSegment(Model):
    """``leave_segment: {id: 7}``: the manual segment that a row leaves together with the source."""

    id: Annotated[int, Field(ge=1, description="Number of the segment")]


class ExitSegment(Model):
    """The `on_exit` that takes people out of a manual segment."""

    leave_segment: LeaveSegment = Field(description="Take the person out of a manual segment")


ExitWord = Literal["keep", "clear_attributes", "suppress", "unsuppress", "delete"]


def _variant(value: Any) -> str:
    if isinstance(value, ExitSegment) or (isinstance(value, dict) and "leave_segment" in value):
        return "segment"
    return "flag" if isinstance(value, dict | ExitFlag) else "word"


OnExit = Annotated[
    Annotated[ExitWord, Tag("word")]
    | Annotated[ExitFlag, Tag("flag")]
    | Annotated[ExitSegment, Tag("segment")],
    Discriminator(_variant),
]
"""What happens to rows that were sent and are no longer in the source."""


class MergeRule(Model):
    """``merge: {keep: created_at}``: of people who share an email, whoever has the smallest value stays."""

    keep: ColumnName = Field(description="A column of the source; a tie merges nobody")


class OnConflictMerge(Model):
    """The `on_conflict` that merges people."""

    merge: MergeRule = Field(description="Merge the others into one of them")


OnConflict = Annotated[
    Annotated[Literal["stop", "skip"], Tag("word")] | Annotated[OnConflictMerge, Tag("merge")],
    Discriminator(lambda value: "merge" if isinstance(value, dict | OnConflictMerge) else "word"),
]
"""What happens to rows of different people with one email, in a workspace where emails identify."""


class Guards(Model):
    """Limits a plan must keep, or nothing is sent. Percentages are of the rows the sync tracks."""

    min_rows: Annotated[int, Field(ge=0)] = Field(1, description="Rows of the source, at least")
    max_change_pct: Percent | None = Field(None, description="Changed rows, of those tracked")
    max_exit_pct: Percent | None = Field(20.0, description="Rows that left, of those tracked")
    max_drop_pct: Percent | None = Field(40.0, description="Rows fewer than in the last run")
    max_growth_pct: Annotated[float, Field(ge=0)] | None = Field(
        80.0, description="Rows more than in the last run"
    )
    max_added: Annotated[int, Field(ge=0)] | None = Field(None, description="New rows")
    max_unidentified_pct: Percent = Field(5.0, description="Rows without a usable identifier")


class Notify(Model):
    """A notifier class and its arguments, called when the deadline is missed."""

    notifier: str = Field(description="Import path of an Airflow notifier with async_notify")
    arguments: dict[str, Any] = Field({}, description="Arguments of the class")


class Deadline(Model):
    """When a run is late, and who is told."""

    within: Duration = Field(description="Counted from the moment the run was due")
    notify: Notify | None = Field(None, description="Who is told")
