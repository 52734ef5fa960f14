"""What the platforms have in common: state under a lock, faults on demand, a book of requests."""

from __future__ import annotations

import json
import pickle
import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

DROPS = ("drop_before", "drop_after", "truncated")
"""Close the connection: before the request is applied, after it, or in the middle of the answer."""
GATEWAY = "html_502"
"""A gateway's page instead of an answer; ``html_502_after`` once the request was applied."""


@dataclass
class Fault:
    """``kind`` is one of `DROPS`, ``html_502``, ``html_502_after``, or an error by the platform's own name."""

    kind: str
    times: int = 1
    after: int = 0
    path: str = ""

    def concerns(self, path: str) -> bool:
        return self.path in path


@dataclass(frozen=True)
class Seen:
    """One line of the book: no bodies, no people."""

    method: str
    path: str
    url_bytes: int
    body_bytes: int
    status: int | str


@dataclass
class Platform:
    """One platform. ``clock`` gives seconds; ``/_sandbox/advance`` moves it on.

    ``file`` keeps what `kept` names; without one, all of it ends with the process.
    """

    kept: ClassVar[tuple[str, ...]] = ()
    name: str = ""
    match_percent: int = 60
    faults: list[Fault] = field(default_factory=list)
    seen: deque[Seen] = field(default_factory=lambda: deque(maxlen=10_000))
    lock: threading.RLock = field(default_factory=threading.RLock)
    shift: float = 0.0
    file: Path | None = None

    def recall(self) -> None:
        """What the file knows from before."""
        if self.file is not None and self.file.exists():
            for name, value in pickle.loads(self.file.read_bytes()).items():  # noqa: S301 - a file of our own
                setattr(self, name, value)

    def remember(self) -> None:
        """Write the file anew, whole or not at all."""
        if self.file is not None:
            with self.lock:
                partial = self.file.with_suffix(".partial")
                partial.write_bytes(
                    pickle.dumps({name: getattr(self, name) for name in (*self.kept, "shift")})
                )
                partial.replace(self.file)

    def make(self, audience: str) -> None:
        """An audience with this id, where the platform has audiences; one that is there stays as it is."""

    def now(self) -> float:
        return time.time() + self.shift

    def routes(self) -> Sequence[Route]:
        raise NotImplementedError

    def error(self, kind: str) -> Response:
        """The platform's answer to a fault by name."""
        raise NotImplementedError

    def members(self, audience: str) -> dict[str, list[str]]:
        """Who is in an audience now: identifiers by field, sorted."""
        raise NotImplementedError

    def clear(self) -> None:
        raise NotImplementedError

    def take_fault(self, path: str) -> str | None:
        with self.lock:
            for fault in self.faults:
                if fault.concerns(path):
                    if fault.after:
                        fault.after -= 1
                        return None
                    fault.times -= 1
                    if not fault.times:
                        self.faults.remove(fault)
                    return fault.kind
        return None

    def control(self) -> list[Route]:
        """What a test asks, sets and breaks; no key needed."""

        async def members(request: Request) -> Response:
            with self.lock:
                return JSONResponse(self.members(request.path_params["audience"]))

        async def faults(request: Request) -> Response:
            with self.lock:
                if request.method == "POST":
                    self.faults += [Fault(**each) for each in json.loads(await request.body())]
                elif request.method == "DELETE":
                    self.faults.clear()
                return JSONResponse([vars(each) for each in self.faults])

        async def requests(_: Request) -> Response:
            return JSONResponse([vars(each) for each in self.seen])

        async def advance(request: Request) -> Response:
            self.shift += float(json.loads(await request.body())["seconds"])
            self.remember()
            return Response(status_code=204)

        async def reset(_: Request) -> Response:
            with self.lock:
                self.faults.clear()
                self.seen.clear()
                self.shift = 0.0
                self.clear()
                self.remember()
            return Response(status_code=204)

        async def audiences(request: Request) -> Response:
            with self.lock:
                self.make(str(json.loads(await request.body())["id"]))
                self.remember()
            return Response(status_code=204)

        return [
            Route("/_sandbox/audiences", audiences, methods=["POST"]),
            Route("/_sandbox/members/{audience}", members),
            Route("/_sandbox/faults", faults, methods=["GET", "POST", "DELETE"]),
            Route("/_sandbox/requests", requests),
            Route("/_sandbox/advance", advance, methods=["POST"]),
            Route("/_sandbox/reset", reset, methods=["POST"]),
        ]


async def json_body(request: Request) -> Any:
    """The body, or None when it is not JSON."""
    try:
        return json.loads(await request.body())
    except ValueError:
        return None
