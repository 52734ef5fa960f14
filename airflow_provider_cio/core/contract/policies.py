"""What a sync does about exits, strange plans and lateness."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from airflow_provider_cio.core.contract.words import Duration, Model, Percent


class SetFlag(Model):
    """``on_exit: {set_flag: {attribute: is_gone}}``: a row that left the source gets this attribute, true."""

    attribute: str
    value: bool | int | str = True


class ExitFlag(Model):
    """The `on_exit` that sets a flag."""

    set_flag: SetFlag


OnExit = Annotated[
    Annotated[Literal["keep", "clear_attributes"], Tag("word")] | Annotated[ExitFlag, Tag("flag")],
    Discriminator(lambda value: "flag" if isinstance(value, dict | ExitFlag) else "word"),
]
"""What happens to people who are no longer in the source."""


class Guards(Model):
    """Limits a plan must keep, or nothing is sent. Percentages are of the rows the sync tracks."""

    min_rows: Annotated[int, Field(ge=0)] = 1
    max_change_pct: Percent | None = None
    max_exit_pct: Percent | None = 20.0
    max_drop_pct: Percent | None = 40.0
    max_growth_pct: Annotated[float, Field(ge=0)] | None = 80.0
    max_added: Annotated[int, Field(ge=0)] | None = None
    max_unidentified_pct: Percent = 5.0


class Notify(Model):
    """A notifier class and its arguments, called when the deadline is missed."""

    notifier: str = Field(description="Import path of an Airflow notifier with async_notify")
    arguments: dict[str, Any] = {}


class Deadline(Model):
    """When a run is late, and who is told."""

    within: Duration = Field(description="Counted from the moment the run was due")
    notify: Notify | None = None
