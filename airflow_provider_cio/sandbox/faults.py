"""Faults of the local Redshift and S3: on demand in order, or at random by a seed; switchable while they run."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass
from random import Random


@dataclass
class Fault:
    """What strikes a statement or call whose text ``matches`` (a regular expression, without regard to case).

    ``after`` such texts pass first; then ``times`` are struck.
    """

    matches: str
    kind: str
    times: int = 1
    after: int = 0

    def concerns(self, text: str) -> bool:
        return re.search(self.matches, text, re.IGNORECASE) is not None


class Faults:
    """The faults that wait, and the weather; threads share it.

    :param kinds: what this service can suffer; another kind is a ValueError.
    """

    def __init__(self, *kinds: str) -> None:
        self._kinds = kinds
        self._lock = threading.Lock()
        self._waiting: list[Fault] = []
        self._fronts: tuple[tuple[float, Fault], ...] = ()
        self._chance = Random(0)
        self.struck = 0

    def add(self, *faults: Fault) -> None:
        """Let these strike, in order, each until it is used up."""
        for fault in faults:
            self._check(fault)
        with self._lock:
            self._waiting += faults

    def weather(self, seed: int, *fronts: tuple[float, Fault]) -> None:
        """From now on each fault strikes its share (0 to 1) of the texts that it matches."""
        for _, fault in fronts:
            self._check(fault)
        with self._lock:
            self._fronts, self._chance = fronts, Random(seed)

    def clear(self) -> None:
        """Fair weather."""
        with self._lock:
            self._waiting, self._fronts = [], ()

    def strike(self, text: str) -> str | None:
        """The kind of what strikes now."""
        with self._lock:
            kind = self._next(text) or self._at_random(text)
            self.struck += kind is not None
            return kind

    def _next(self, text: str) -> str | None:
        for fault in self._waiting:
            if fault.concerns(text):
                if fault.after:
                    fault.after -= 1
                    return None
                fault.times -= 1
                if not fault.times:
                    self._waiting.remove(fault)
                return fault.kind
        return None

    def _at_random(self, text: str) -> str | None:
        for share, fault in self._fronts:
            if fault.concerns(text) and self._chance.random() < share:
                return fault.kind
        return None

    def _check(self, fault: Fault) -> None:
        if fault.kind not in self._kinds:
            raise ValueError(f"a fault is one of {', '.join(self._kinds)}, not '{fault.kind}'")
