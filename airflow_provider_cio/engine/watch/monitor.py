"""All checks of all subjects, once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from croniter import croniter

from airflow_provider_cio.core.schedule_rules import interval
from airflow_provider_cio.core.watch.alerting import Observation, Verdict
from airflow_provider_cio.core.watch.anomaly import Detector, Point, judge
from airflow_provider_cio.core.watch.checks import CHECKS, Check, against_limits
from airflow_provider_cio.core.watch.metrics import Subject
from airflow_provider_cio.core.watch.monitoring_file import Monitoring
from airflow_provider_cio.warehouse.session import Session, Warehouse
from airflow_provider_cio.warehouse.watch import alerts, series
from airflow_provider_cio.warehouse.watch.series import Number

KEEP_DAYS = 400


@dataclass(frozen=True)
class Expected:
    """A sync or audience that should run: whose it is, and by which cron expression it is due (None: by none)."""

    subject: Subject
    owner: str
    cadence: str | None


@dataclass(frozen=True)
class Monitor:
    """One evaluation.

    :param expected: the syncs and audiences of the folder; what else the tables know of is not judged.
    :param events: names among the newest events of the workspace; None: they cannot be read.
    :param taxonomy: names of events that the contract knows.
    """

    warehouse: Warehouse
    monitoring: Monitoring
    expected: tuple[Expected, ...]
    now: datetime
    events: frozenset[str] | None = None
    taxonomy: frozenset[str] = frozenset()

    def observe(self) -> list[Observation]:
        """Judge everything, and write results and alerts in one transaction."""
        schema = self.warehouse.schema
        self.warehouse.run(series.expire(schema, KEEP_DAYS))

        def work(session: Session) -> list[Observation]:
            seen = [each for name in CHECKS for each in self._check(session, name)]
            seen += self._retired(session, seen)
            alerts.observe(session, schema, seen)
            return seen

        return self.warehouse.transaction(work)

    def _check(self, session: Session, name: str) -> Iterable[Observation]:
        check, schema = CHECKS[name], self.warehouse.schema
        by_code: Mapping[str, Callable[[Session], Iterable[Observation]]] = {
            "no_run": self._no_run,
            "event_names": self._event_names,
        }
        if name in by_code:
            return by_code[name](session)
        if check.learns:
            return self._learned(session, name, check)
        if check.metric:
            numbers = series.newest(session, schema, *check.metric)
        elif check.needs and not series.exists(session, check.needs):
            numbers = []
        else:
            numbers = series.measured(session, schema, name, self.now)
        return [
            self._limited(name, each.subject, each.value / check.scale, part=each.part, run_id=each.run_id)
            for each in numbers
            if self._judges(name, each.subject) and not self._known(each)
        ]

    def _learned(self, session: Session, name: str, check: Check) -> Iterator[Observation]:
        """Each run once: what was judged before is not judged again."""
        kind, metric = check.metric or ("sync", name)
        before = series.judged(session, self.warehouse.schema, name)
        history = max(
            (self._detector(name, each.subject).history for each in self.expected), default=timedelta()
        )
        for numbers in series.series(session, self.warehouse.schema, kind, metric, history):
            newest = numbers[-1]
            verdicts = before.get((newest.subject, newest.part), {})
            if self._judges(name, newest.subject) and newest.run_id not in verdicts:
                odd = {_at(each) for each in numbers if verdicts.get(each.run_id) in {"warning", "critical"}}
                yield self._judged(name, numbers, odd)

    def _judged(self, name: str, numbers: list[Number], odd: set[datetime]) -> Observation:
        newest, owner = numbers[-1], self._owner(numbers[-1].subject)
        shared = {"part": newest.part, "run_id": newest.run_id, "value": newest.value}
        if reason := self._known(newest):
            return self._seen(name, newest.subject, "ok", f"{newest.value:g}: {reason}", owner, **shared)
        points = [Point(_at(each), each.value) for each in numbers]
        known = {_at(each) for each in numbers if self._known(each)}
        found = judge(points, self._detector(name, newest.subject), odd, known)
        if found.verdict == "learning":
            text = f"{newest.value:g}; not enough history to judge, {found.learned_from} runs"
        else:
            usual = [f"{limit:g}" if limit is not None else "any" for limit in (found.low, found.high)]
            text = f"{newest.value:g}, usually {usual[0]} to {usual[1]} ({CHECKS[name].meaning})"
        limits = {"low": found.low, "high": found.high}
        return self._seen(name, newest.subject, found.verdict, text, owner, **shared, **limits)

    def _no_run(self, session: Session) -> Iterator[Observation]:
        began = series.last_ends(session, self.warehouse.schema)
        for each in self.expected:
            if not _has_rhythm(each.cadence) or not self._judges("no_run", each.subject):
                continue
            if each.subject not in began:
                yield self._seen("no_run", each.subject, "warning", "it has never run", each.owner)
                continue
            moment, run_id = began[each.subject]
            due = croniter(each.cadence, moment.replace(tzinfo=UTC), ret_type=datetime).get_next(datetime)
            late = max(0.0, (self.now - due).total_seconds() / 60)
            yield self._limited("no_run", each.subject, late, run_id=run_id)

    def _event_names(self, _: Session) -> Iterator[Observation]:
        subject = Subject("workspace", "events")
        if self.events is None or not self._judges("event_names", subject):
            return
        unknown = sorted(self.events - self.taxonomy)
        seen = self._limited("event_names", subject, len(unknown))
        names = f": {', '.join(unknown[:10])}" if unknown else ""
        yield Observation(**{**vars(seen), "message": seen.message + names})

    def _retired(self, session: Session, seen: list[Observation]) -> Iterator[Observation]:
        """Open alerts of what is no longer checked, or no longer there."""
        current = {each.alert for each in seen}
        for each in alerts.read(session, self.warehouse.schema, "state IN ('warning', 'critical')"):
            off = each.check in CHECKS and self.monitoring.of(each.check, each.subject.name) is None
            if each.alert not in current and (off or not self._is_there(each.subject)):
                yield Observation(
                    each.check,
                    each.subject,
                    "ok",
                    "it is no longer checked",
                    part=each.part,
                    owner=each.owner,
                    group=each.group,
                    runbook=each.runbook,
                )

    def _limited(
        self, name: str, subject: Subject, value: float, *, part: str = "", run_id: str = ""
    ) -> Observation:
        detector = self._detector(name, subject)
        verdict = against_limits(value, detector.warning, detector.critical)
        text = f"{value:.4g}, limits {detector.warning:g} and {detector.critical:g} ({CHECKS[name].meaning})"
        limits = {"value": value, "high": detector.warning}
        return self._seen(
            name, subject, verdict, text, self._owner(subject), part=part, run_id=run_id, **limits
        )

    def _seen(
        self, name: str, subject: Subject, verdict: Verdict, message: str, owner: str, **more: Any
    ) -> Observation:
        settings = self.monitoring.of(name, subject.name)
        group = (settings.group if settings else None) or CHECKS[name].group
        return Observation(
            name,
            subject,
            verdict,
            message,
            owner=owner,
            group=group,
            runbook=self.monitoring.link(name),
            **more,
        )

    def _judges(self, name: str, subject: Subject) -> bool:
        return self._is_there(subject) and self.monitoring.of(name, subject.name) is not None

    def _is_there(self, subject: Subject) -> bool:
        ours = subject.kind in {"sync", "audience"}
        return not ours or any(each.subject == subject for each in self.expected)

    def _detector(self, name: str, subject: Subject) -> Detector:
        settings = self.monitoring.of(name, subject.name)
        return settings.over(name) if settings else Detector(**CHECKS[name].settings)

    def _owner(self, subject: Subject) -> str:
        owners = {each.subject: each.owner for each in self.expected}
        return owners.get(subject) or self.monitoring.owner

    def _known(self, number: Number) -> str:
        """Why a number is known to be odd; '': it is not."""
        known = self.monitoring.known_anomalies
        found = (each for each in known if each.covers(number.subject.name, _at(number)))
        return next((each.reason for each in found), "")


def _has_rhythm(cadence: str | None) -> bool:
    try:
        return cadence is not None and interval(cadence) is not None
    except ValueError:
        return False  # its file is an import error already


def _at(number: Number) -> datetime:
    return number.at.replace(tzinfo=UTC)
