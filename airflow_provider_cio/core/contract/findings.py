"""What may be wrong with the rows of a source, and what a sync may want done about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Annotated, Literal

from pydantic import AfterValidator

Action = Literal["skip", "truncate", "fail", "report"]
"""``skip``: these rows are not sent. ``truncate``: what is too much is cut off, and the rest is sent. ``fail``: the
run stops before anything is sent. ``report``: they are sent as they are."""


@dataclass(frozen=True, slots=True)
class FindingRule:
    """`what` follows '12 rows ...'; `fix` is the next step; `cut` says what `truncate` does to them."""

    actions: tuple[Action, ...]
    """Allowed ones; the first is what happens if the sync says nothing."""
    what: str
    fix: str
    cut: str = ""


_IN_SOURCE = "correct them in the source; the next run sends them."

RULES: Mapping[str, FindingRule] = {
    "duplicate_key": FindingRule(
        ("fail", "skip"), "carry a key that another row has", "make the source unique by this key."
    ),
    "identifier_missing": FindingRule(("skip", "fail"), "have no identifier", _IN_SOURCE),
    "identifier_too_long": FindingRule(
        ("skip", "fail"), "have an identifier of more than 150 bytes", _IN_SOURCE
    ),
    "identifier_padded": FindingRule(
        ("truncate", "skip", "fail"),
        "have an identifier with white space around it",
        "trim it in the view: other systems may know these people by the padded text.",
        cut="it is trimmed",
    ),
    "phone_not_e164": FindingRule(
        ("skip", "fail"),
        "have a phone that is not in E.164 form",
        "write phones with + and country code in the view: +441632960961.",
    ),
    "partner_missing": FindingRule(
        ("skip", "fail"), "lack the object, device or person that they are about", _IN_SOURCE
    ),
    "partner_too_long": FindingRule(
        ("skip", "fail"),
        "are about an object or person with a key of more than 150 bytes, or a device with more than 350",
        _IN_SOURCE,
    ),
    "key_with_separator": FindingRule(("skip", "fail"), "hold the character 31 in their key", _IN_SOURCE),
    "merge_with_itself": FindingRule(("skip", "fail"), "merge somebody with themselves", _IN_SOURCE),
    "exit_sent_by_another_sync": FindingRule(
        ("skip", "fail"),
        "left this source, but another people sync still sends them",
        "remove them from the other source too, if they must go.",
    ),
    "suppressed_came_back": FindingRule(
        ("skip", "fail"),
        "came back after they were suppressed: Customer.io would ignore them without a word",
        "to write to them again, unsuppress them and delete their rows from the sync's state table.",
    ),
    "several_emails_of_one": FindingRule(
        ("fail", "skip"),
        "are about one person and hold different emails: the address would flap",
        "keep one row a person, with the email that counts.",
    ),
    "phone_of_several": FindingRule(
        ("report", "skip", "fail"),
        "of different people share a phone: where phones identify, Customer.io would give it to one of them",
        "correct the source; a family may share a phone, if phones do not identify.",
    ),
    "guest_known_by_id": FindingRule(
        ("skip", "fail"),
        "go by an email that a row with an id has too: they are the same person",
        "leave guests out of the source once they have an id.",
    ),
    "email_of_several": FindingRule(
        ("skip", "fail"),
        "of different people share an email: Customer.io would give it to one of them and say nothing",
        "correct the source, or say what to do: `on_conflict: skip`, or `merge: {keep: <column>}`.",
    ),
    "email_of_several_tied": FindingRule(
        ("skip", "fail"),
        "share an email, and `keep` does not tell who stays",
        "make the column of `keep` different for each, and never null.",
    ),
    "merge_waits": FindingRule(
        ("report",),
        "are merged once the person who stays was accepted",
        "nothing to do: the next run does it.",
    ),
    "email_changed": FindingRule(
        ("report", "fail"),
        "have another email than was accepted before",
        "switch on 'Allow updates to email using ID' in Customer.io, or the old email stays there.",
    ),
    "guest_registered": FindingRule(
        ("report",),
        "have the email of a guest who was sent by email",
        "nothing to do where the id is new: the guest's profile gets it. Keep guests out of a source of their own "
        "once they are registered.",
    ),
    "key_missing": FindingRule(("skip", "fail"), "have no event key", _IN_SOURCE),
    "key_too_long": FindingRule(("skip", "fail"), "have an event key of more than 512 bytes", _IN_SOURCE),
    "occurred_at_missing": FindingRule(("skip", "fail"), "have no time", _IN_SOURCE),
    "occurred_at_in_future": FindingRule(
        ("skip", "fail"),
        "have a time in the future",
        "look at `time_zone` of occurred_at, or correct them in the source.",
    ),
    "occurred_at_before_1970": FindingRule(("skip", "fail"), "have a time before 1970", _IN_SOURCE),
    "occurred_at_is_load_time": FindingRule(
        ("report", "fail"),
        "share their time to the microsecond with many others, as if it were the time of a load",
        "name the column of the business time in occurred_at: Customer.io acts on it.",
    ),
    "timestamp_in_milliseconds": FindingRule(
        ("skip", "truncate", "fail"),
        "hold milliseconds where Customer.io reads seconds",
        "divide by 1000 in the view, or set the finding to truncate.",
        cut="they are divided by 1,000",
    ),
    "value_too_long": FindingRule(
        ("skip", "truncate", "fail"),
        "hold a value of more than 1,000 bytes",
        "shorten it in the view, or set the finding to truncate.",
        cut="text is cut to at most 1,000 bytes",
    ),
    "name_missing": FindingRule(("skip", "fail"), "are views of a page or screen without a name", _IN_SOURCE),
    "name_too_long": FindingRule(
        ("skip", "truncate", "fail"),
        "are views of a page or screen with a name of more than 100 bytes",
        "shorten it in the view, or set the finding to truncate.",
        cut="it is cut to at most 100 bytes",
    ),
    "field_name_too_long": FindingRule(
        ("fail", "report"),
        "have a field whose name is longer than 150 bytes",
        "shorten it in the sync's file.",
    ),
    "event_name_too_long": FindingRule(
        ("fail", "report"),
        "are events with a name of more than 100 bytes",
        "shorten `event` in the sync's file.",
    ),
    "too_many_attributes": FindingRule(
        ("fail", "report"),
        "have more than 300 attributes",
        "send what journeys decide on, leave the rest in the warehouse.",
    ),
    "item_too_large": FindingRule(
        ("skip", "fail"),
        "come to more than 32,000 bytes",
        "map fewer or shorter fields.",
    ),
    "payload_wide": FindingRule(
        ("report", "fail"),
        "more than a curated payload holds",
        "map what segments and messages read, and leave the rest in the warehouse.",
    ),
    "values_nearly_unique": FindingRule(
        ("report", "fail"),
        "long values that hardly any two rows share, which no segment can ask for",
        "map a category or a flag in its place, or leave it out.",
    ),
    "events_of_one_person": FindingRule(
        ("report", "fail"),
        "more than one person does",
        "look for a placeholder among the identifiers, for bots, or for a view that repeats rows.",
    ),
    "event_changed_after_send": FindingRule(
        ("report", "fail"),
        "changed after they were sent; an event is never sent twice",
        "a correction is an event of its own.",
    ),
}


def _known(actions: dict[str, Action]) -> dict[str, Action]:
    for name, action in actions.items():
        if name not in RULES:
            near = get_close_matches(name, RULES, n=1)
            hint = f": did you mean `{near[0]}`?" if near else f"; known are {', '.join(RULES)}"
            raise ValueError(f"there is no finding '{name}'{hint}")
        if action not in RULES[name].actions:
            allowed = " or ".join(RULES[name].actions)
            raise ValueError(f"`{name}` cannot be `{action}`: choose {allowed}")
    return actions


Actions = Annotated[dict[str, Action], AfterValidator(_known)]


def action_of(actions: Mapping[str, Action], name: str) -> Action:
    """What a sync does about a finding."""
    return actions.get(name, RULES[name].actions[0])
