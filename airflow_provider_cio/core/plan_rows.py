"""Rows of a frozen plan as JSON text, piece by piece: who, what, when."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from airflow_provider_cio.core import identity, json_text
from airflow_provider_cio.core.columns import Column
from airflow_provider_cio.core.contract import ExitFlag, Sync
from airflow_provider_cio.core.json_object import Member, members
from airflow_provider_cio.core.json_text import TEXT, JsonText
from airflow_provider_cio.core.refusals import Refusals
from airflow_provider_cio.exceptions import SourceError

VALUE_LIMIT = 1000
"""Bytes of one attribute value (Track API, limits)."""

NAME_LIMIT = 100
"""Bytes of the name of an event, page or screen (Track API, limits)."""

Pieces = list[pa.LargeStringArray | str]
"""What :func:`core.json_object.join` puts together: constants, and columns."""


class PlanRows:
    """Columns of a plan by name, and the JSON that their values become; refusals are noted on the way."""

    def __init__(self, rows: pa.RecordBatch | pa.Table, sync: Sync, columns: Sequence[Column]) -> None:
        self._rows = rows
        self._families = {column.name: column.family for column in columns}
        self._places = {key: place for place, key in enumerate(sync.values)}
        self.sync = sync
        self.refusals = Refusals(rows.num_rows)
        self.leaving = pc.equal(self["operation"], "exit")
        self.merging = pc.equal(self["operation"], "merge")
        self._staying = pc.invert(pc.or_(self.leaving, self.merging))

    def __getitem__(self, name: str) -> pa.Array:
        if name not in self._rows.schema.names:
            raise SourceError(f"the plan has no column '{name}'.", next_step="make the plan again")
        column = self._rows.column(name)
        return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column

    def identifier(self) -> pa.LargeStringArray:
        """The canonical identifier, without its quotes."""
        return self._key_text("identifier", f"identity.{self.sync.identifier}", "identifier")

    def text(self, column: str) -> pa.LargeStringArray:
        """A column of keys, without its quotes, as it is."""
        return json_text.string(self[column]).text

    def who(self) -> Pieces:
        """`{"id":"c1"}`."""
        return ['{"', *self.identified_by(), '":"', self.identifier(), '"}']

    def identified_by(self) -> Pieces:
        """What each row goes by: what the plan says, else the sync's identifier."""
        if "identified_by" not in self._rows.schema.names:
            return [self.sync.identifier]
        by = self["identified_by"]
        if by.null_count == len(by):
            return [self.sync.identifier]
        return [pc.fill_null(by.cast(TEXT), self.sync.identifier)]

    def partner(self) -> pa.LargeStringArray:
        """The second half of the row's key, without its quotes: an object, a device, who is merged."""
        key = self.sync.partner[0] if self.sync.partner else "related"
        return self._key_text("partner", key, None if self.sync.device else "partner")

    def _key_text(self, column: str, key: str, limited: str | None) -> pa.LargeStringArray:
        text = json_text.string(self[column])
        self.refusals.add(pc.equal(pc.fill_null(text.sizes, 0), 0), f"{column}_missing", key)
        if limited:
            over = pc.greater(text.sizes, identity.MAX_BYTES)
            self.refusals.add(over, f"{limited}_over_150_bytes", key)
        return text.text

    def attributes(self) -> Pieces:
        """The object of attributes or properties; the payload of who leaves is not looked at."""
        found = [self._member(name) for name in self.sync.fields]
        if isinstance(self.sync.on_exit, ExitFlag):
            back = pc.equal(self["operation"], "return")
            cleared = pc.if_else(back, pa.scalar("", TEXT), pa.scalar(None, TEXT))
            found.append(Member.of(self.sync.on_exit.set_flag.attribute, cleared, quoted=True))
        return ["{", *members(found), "}"]

    def _member(self, name: str) -> Member:
        key, field = f"{self.sync.section}.{name}", self.sync.fields[name]
        encoded = self.value(key)
        if self.sync.kind != "events" and encoded.sizes is not None:
            too_long = pc.greater(encoded.sizes, VALUE_LIMIT)
            self.refusals.add(too_long, "value_over_1000_bytes", key, among=self._staying)
        text = encoded.text
        if self.sync.nulls_of(field) == "clear":
            text = pc.fill_null(text, "" if encoded.quoted else '""')
        return Member.of(name, text, quoted=encoded.quoted)

    def value(self, key: str) -> JsonText:
        """One of :attr:`Sync.values`."""
        column, field = f"f_{self._places[key]}", self.sync.values[key]
        family = self._families.get(column)
        try:
            encoded = json_text.encode(
                self[column],
                field.type,
                time_zone=None if family == "timestamptz" else field.time_zone,
                is_json=family == "super",
            )
        except TypeError as error:
            raise SourceError(
                f"{key}: {error}.", next_step="declare another type or cast it in the view"
            ) from None
        for problem in encoded.problems:
            self.refusals.add(problem.mask, problem.reason, key, among=self._staying)
        return encoded

    def name(self, key: str) -> Pieces:
        """The name of a page or screen."""
        encoded = self.value(key)
        sizes = pc.binary_length(encoded.text) if encoded.sizes is None else encoded.sizes
        self.refusals.add(pc.equal(pc.fill_null(sizes, 0), 0), "name_missing", key)
        self.refusals.add(pc.greater(sizes, NAME_LIMIT), "name_over_100_bytes", key)
        return ['"', encoded.text, '"']

    def event_id(self) -> pa.LargeStringArray:
        """The event's ULID."""
        event_id = self["event_id"]
        self.refusals.add(pc.is_null(event_id), "event_id_missing", "key")
        return event_id.cast(TEXT)

    def occurred_at(self) -> pa.Array:
        """When an event happened, in UTC."""
        occurred_at = self["occurred_at"]
        self.refusals.add(pc.is_null(occurred_at), "occurred_at_missing", "occurred_at")
        return occurred_at
