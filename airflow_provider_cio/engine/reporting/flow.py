"""Requests side by side: the client's rate budget spaces them, so that slow answers do not slow the reading."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from queue import Full, Queue
from threading import Event
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")
LANES = 12
"""At 10 requests a second an answer may take a second and the limit is still used up."""
_LOOK_SECONDS = 0.5


def flow(work: Callable[[T], Iterable[R]], things: Iterable[T]) -> Iterator[R]:
    """What `work` gives for each thing, as it comes; little more than what was taken is kept.

    The first error ends everything, and is raised.
    """
    listed, channel = list(things), _Channel[R]()
    with ThreadPoolExecutor(LANES) as pool:
        try:
            for thing in listed:
                pool.submit(channel.fill, work, thing)
            ended = 0
            while ended < len(listed):
                value = channel.taken.get()
                if isinstance(value, BaseException):
                    raise value
                if value is None:
                    ended += 1
                else:
                    yield value
        finally:
            channel.closed.set()
            pool.shutdown(cancel_futures=True)


class _Channel(Generic[R]):
    """Values from threads, the end of each thing (None), or an error."""

    def __init__(self) -> None:
        self.taken: Queue[R | BaseException | None] = Queue(LANES)
        self.closed = Event()

    def fill(self, work: Callable[[T], Iterable[R]], thing: T) -> None:
        """All values of one thing."""
        try:
            for value in work(thing):
                self._put(value)
                if self.closed.is_set():
                    return
            self._put(None)
        except BaseException as error:  # noqa: BLE001 - raised where it is taken
            self._put(error)

    def _put(self, value: R | BaseException | None) -> None:
        while not self.closed.is_set():
            try:
                self.taken.put(value, timeout=_LOOK_SECONDS)
            except Full:
                continue
            return
