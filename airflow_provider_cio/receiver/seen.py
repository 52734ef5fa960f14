"""Which events were stored already."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable


class Seen:
    """Remembers the keys of the last `most` events that were stored.

    A repeat that comes later than that, or to another receiver, is stored again and removed by the load into Redshift.
    """

    def __init__(self, most: int = 500_000) -> None:
        self._most = most
        self._stored: dict[str, None] = {}
        self._storing: dict[str, asyncio.Task[None]] = {}

    def remember(self, keys: Iterable[str]) -> None:
        """These are stored."""
        for key in keys:
            self._stored[key] = None
            if len(self._stored) > self._most:
                del self._stored[next(iter(self._stored))]

    async def once(self, key: str, store: Callable[[], Awaitable[None]]) -> bool:
        """Call `store` unless the key is known; whether it was called.

        A repeat that arrives meanwhile waits for the first: it may be answered only when that is on disk.

        :raises OSError: it could not be stored; the key stays unknown.
        """
        if key in self._stored:
            return False
        if key in self._storing:
            await asyncio.shield(self._storing[key])
            return False
        task = self._storing[key] = asyncio.ensure_future(_call(store))
        try:
            await asyncio.shield(task)
        finally:
            del self._storing[key]
        self.remember((key,))
        return True


async def _call(store: Callable[[], Awaitable[None]]) -> None:
    await store()
