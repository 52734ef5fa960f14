"""Items -> request bodies of at most `limit` bytes, byte-exact, without Python objects for rows."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

BODY_LIMIT = 475_000
"""Customer.io takes 500 KB a batch and does not say which KB; its own clients stop at 475,000 bytes."""

_TAIL = b"]}"


@dataclass(frozen=True, slots=True)
class Envelope:
    """How a body opens (it ends with ``]}``), and how many items it takes at most."""

    head: bytes
    most: int


BATCH = Envelope(b'{"batch":[', 1 << 31)
IDS = Envelope(b'{"ids":[', 1000)
"""A call to change a manual segment (Track API v1)."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Items ``start`` (included) to ``stop`` (excluded) of everything fed, and the body that carries them."""

    start: int
    stop: int
    body: bytes
    items: pa.LargeBinaryArray

    def __len__(self) -> int:
        return self.stop - self.start


class Packer:
    """Cuts a stream of items into bodies; what does not fill a body is `waiting` for the next `feed`.

    Every item appears once and in order; a body is closed only when the next item would not fit.

    :raises ValueError: an item is null (drop refused rows first) or larger than a body.
    """

    def __init__(self, limit: int = BODY_LIMIT, envelope: Envelope = BATCH) -> None:
        self._limit = limit
        self._envelope = envelope
        self.waiting = pa.array([], pa.large_binary())
        self._start = 0

    def feed(self, items: pa.LargeBinaryArray) -> Iterator[Batch]:
        """All bodies that the items fill."""
        yield from self._cut(pa.concat_arrays([self.waiting, items]), final=False)

    def flush(self) -> Iterator[Batch]:
        """The last body, if anything waits."""
        yield from self._cut(self.waiting, final=True)

    def _cut(self, items: pa.LargeBinaryArray, *, final: bool) -> Iterator[Batch]:
        if items.null_count:
            raise ValueError("items hold refused rows (nulls): drop them before batching")
        count = len(items)
        ends = items.buffers()[1]
        offsets = memoryview(ends).cast("q")[items.offset :] if ends is not None and count else [0]
        first = 0
        while first < count:
            room = self._limit - len(self._envelope.head) - len(_TAIL) + offsets[first] + first + 1
            after = bisect_right(range(count + 1), room, key=lambda i: offsets[i] + i) - 1
            after = min(after, first + self._envelope.most)
            if after == first:
                raise ValueError(
                    f"an item of {offsets[first + 1] - offsets[first]} bytes does not fit into a body"
                )
            if after == count and not final:
                break
            some = items.slice(first, after - first)
            yield Batch(self._start, self._start + after - first, _body(some, self._envelope), some)
            self._start += after - first
            first = after
        self.waiting = items.slice(first)


def bodies(
    items: pa.LargeBinaryArray, limit: int = BODY_LIMIT, envelope: Envelope = BATCH
) -> Iterator[Batch]:
    """All bodies of one array of items."""
    packer = Packer(limit, envelope)
    yield from packer.feed(items)
    yield from packer.flush()


def _body(items: pa.LargeBinaryArray, envelope: Envelope) -> bytes:
    whole = pa.LargeListArray.from_arrays(pa.array([0, len(items)], pa.int64()), items)
    return b"".join(
        (envelope.head, pc.binary_join(whole, pa.scalar(b",", pa.large_binary()))[0].as_buffer(), _TAIL)
    )
