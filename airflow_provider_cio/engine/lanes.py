"""The lanes of a shard: one thread renders and packs, a thread a lane delivers, and a person has one lane."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import pyarrow as pa
import pyarrow.compute as pc

from airflow_provider_cio.core.batching import BODY_LIMIT, Envelope, Packer, bodies
from airflow_provider_cio.engine.delivery import Delivery, Load
from airflow_provider_cio.engine.doors import Door
from airflow_provider_cio.engine.progress import Progress
from airflow_provider_cio.exceptions import CustomerIOProviderError

LOADS_IN_WAVE, LOADS_PER_LANE = 32, 4
"""A wave is as many loads as the larger of the two says. Its events are announced together."""
WAVES_UNDER_WAY = 2
"""While the next one is made: no more bodies are in memory, and no more events does a killed sender leave undecided."""
ROOM = BODY_LIMIT - 16
"""For the items of a body."""


@dataclass
class _Wave:
    """Loads that were handed to the lanes together; of events, the object that announces them."""

    futures: list[Future[None]]
    announcement: str | None


class Lanes:
    """Delivers items in full bodies: those of a lane one after another, lanes side by side.

    The first error stops all lanes before their next request, and is raised by whatever is called next. Leaving
    the block waits for the requests that are under way.
    """

    def __init__(self, count: int, delivery: Delivery, progress: Progress) -> None:
        self._pools = [ThreadPoolExecutor(1, thread_name_prefix="cio-lane") for _ in range(count)]
        self._delivery = delivery
        self._progress = progress
        self._stop = threading.Event()
        self._astray = False
        self._waiting: dict[tuple[Envelope, int], _Waiting] = {}
        self._next: list[tuple[int, Load]] = []
        self._under_way: deque[_Wave] = deque()

    def send(self, door: Door, ordinals: pa.Array, items: pa.LargeBinaryArray, lane_hash: pa.Array) -> None:
        """Take items in the order of their ordinals; what does not fill a body of its lane waits for more."""
        count = len(self._pools)
        lanes = pc.subtract(lane_hash, pc.multiply(pc.divide(lane_hash, count), count))
        for lane in range(count):
            mine = pc.equal(lanes, lane)
            waiting = self._waiting.setdefault((door.envelope, lane), _Waiting(door))
            for load in waiting.filled_by(ordinals.filter(mine), items.filter(mine)):
                self._hand_over(lane, load)

    def finish(self) -> None:
        """Deliver what waits in the lanes, several lanes to a body, once nothing else of them is under way."""
        self._start_wave()
        self._wait_for_waves(0)
        by_door: dict[Envelope, list[_Waiting]] = {}
        for (envelope, _), waiting in self._waiting.items():
            by_door.setdefault(envelope, []).append(waiting)
        for tails in by_door.values():
            for number, together in enumerate(_fill_up(tails)):
                for load in _together(together):
                    self._hand_over(number % len(self._pools), load)
        self._start_wave()
        self._wait_for_waves(0)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        for pool in self._pools:
            pool.shutdown(cancel_futures=True)
        if not self._astray:
            for wave in self._under_way:
                self._decided(wave)

    def _hand_over(self, lane: int, load: Load) -> None:
        self._next.append((lane, load))
        if len(self._next) >= max(LOADS_IN_WAVE, LOADS_PER_LANE * len(self._pools)):
            self._start_wave()

    def _start_wave(self) -> None:
        loads, self._next = self._next, []
        self._wait_for_waves(0 if self._stop.is_set() else WAVES_UNDER_WAY - 1)
        if not loads:
            return
        recorder, announcement = self._delivery.recorder, None
        if recorder.plan.kind == "events":
            announcement = recorder.announce(pa.concat_arrays([load.ordinals for _, load in loads]))
        futures = [self._pools[lane].submit(self._deliver, load) for lane, load in loads]
        self._under_way.append(_Wave(futures, announcement))

    def _wait_for_waves(self, most: int) -> None:
        """Until no more than so many are under way."""
        while len(self._under_way) > most:
            for future in self._under_way[0].futures:
                future.result()
            self._decided(self._under_way.popleft())

    def _decided(self, wave: _Wave) -> None:
        if wave.announcement is not None:
            self._delivery.recorder.decided(wave.announcement)

    def _deliver(self, load: Load) -> None:
        if self._stop.is_set():
            return
        try:
            self._delivery.deliver(load)
            self._progress.add(len(load.items))
            self._delivery.recorder.flush_now_and_then()
        except BaseException as error:
            self._astray |= not isinstance(error, CustomerIOProviderError)
            self._stop.set()
            raise


class _Waiting:
    """Items of one lane and door that do not fill a body yet."""

    def __init__(self, door: Door) -> None:
        self.door = door
        self.ordinals = pa.array([], pa.int64())
        self._packer = Packer(envelope=door.envelope)

    @property
    def size(self) -> int:
        """Bytes in a body."""
        return len(self.items) + (pc.sum(pc.binary_length(self.items)).as_py() or 0)

    @property
    def items(self) -> pa.LargeBinaryArray:
        """As many as there are ordinals."""
        return self._packer.waiting

    def filled_by(self, ordinals: pa.Array, items: pa.LargeBinaryArray) -> Iterator[Load]:
        """All full bodies."""
        self.ordinals = pa.concat_arrays([self.ordinals, ordinals])
        for batch in self._packer.feed(items):
            yield Load(self.ordinals.slice(0, len(batch)), batch.items, batch.body, self.door)
            self.ordinals = self.ordinals.slice(len(batch))


def _fill_up(tails: list[_Waiting]) -> list[list[_Waiting]]:
    """Which lanes share a body: the largest first, each where it still fits."""
    shared: list[tuple[int, list[_Waiting]]] = []
    for tail in sorted(tails, key=lambda tail: tail.size, reverse=True):
        place = next((i for i, (size, _) in enumerate(shared) if size + tail.size <= ROOM), None)
        if place is None:
            shared.append((tail.size, [tail]))
        else:
            size, others = shared[place]
            shared[place] = (size + tail.size, [*others, tail])
    return [together for _, together in shared]


def _together(tails: list[_Waiting]) -> Iterator[Load]:
    door = tails[0].door
    ordinals = pa.concat_arrays([tail.ordinals for tail in tails])
    items = pa.concat_arrays([tail.items for tail in tails])
    for batch in bodies(items, envelope=door.envelope):
        yield Load(ordinals[batch.start : batch.stop], batch.items, batch.body, door)
