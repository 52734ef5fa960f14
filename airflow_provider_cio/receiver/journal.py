"""The write-ahead files of one stream: a line is on disk before its webhook is answered.

Lines that arrive while the disk is busy are written and synced together. The file being written ends in `.open`; it is
sealed, which renames it to `.ndjson`, by size, by age, and at the end. A sealed file is whole and never changes.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

OPEN, SEALED = ".open", ".ndjson"


class Journal:
    """Appends lines durably. `append` may be called by any number of tasks, `run` is one of them.

    :param roll_bytes: a file of at least this size is sealed.
    :param roll_seconds: so is one that was opened this long ago.
    """

    def __init__(self, folder: Path, *, roll_bytes: int, roll_seconds: float) -> None:
        self.folder = folder
        self.failing = False
        self._roll_bytes, self._roll_seconds = roll_bytes, roll_seconds
        self._waiting: list[tuple[bytes, asyncio.Future[None]]] = []
        self._wake = asyncio.Event()
        self._disk = ThreadPoolExecutor(1, thread_name_prefix=f"journal-{folder.name}")
        self._file: int | None = None
        self._path, self._size, self._opened = folder, 0, 0.0
        folder.mkdir(parents=True, exist_ok=True)
        for left in sorted(folder.glob(f"*{OPEN}")):
            _seal(left)

    async def append(self, line: bytes) -> None:
        """Return when the line (without a line feed) is on disk.

        :raises OSError: it is not.
        """
        written = asyncio.get_running_loop().create_future()
        self._waiting.append((line, written))
        self._wake.set()
        await written

    async def run(self) -> None:
        """Write until cancelled."""
        while True:
            try:
                await asyncio.wait_for(self._wake.wait(), timeout=min(self._roll_seconds, 1.0))
            except TimeoutError:
                await self._on_disk(self._roll, b"")
            else:
                await self.flush()

    async def flush(self) -> None:
        """Write what waits."""
        self._wake.clear()
        batch, self._waiting = self._waiting, []
        error = await self._on_disk(self._write, b"".join(line + b"\n" for line, _ in batch))
        self.failing = error is not None
        for _, written in batch:
            if written.done():
                continue
            if error is None:
                written.set_result(None)
            else:
                written.set_exception(OSError(error.errno, error.strerror))

    async def close(self) -> None:
        """Write what waits and seal the file."""
        await self.flush()
        await self._on_disk(self._roll_now, b"")
        self._disk.shutdown()

    def sealed(self) -> list[Path]:
        """Whole files, oldest first."""
        return sorted(self.folder.glob(f"*{SEALED}"))

    def lines(self) -> Iterator[bytes]:
        """All lines that are still here, oldest first; before `run` only."""
        for path in self.sealed():
            with path.open("rb") as file:
                yield from file

    async def _on_disk(self, work: object, data: bytes) -> OSError | None:
        try:
            await asyncio.get_running_loop().run_in_executor(self._disk, work, data)  # type: ignore[arg-type]
        except OSError as error:
            return error
        return None

    def _write(self, data: bytes) -> None:
        if not data:
            return
        if self._file is None:
            self._open()
        assert self._file is not None  # noqa: S101 - _open has set it
        try:
            rest = memoryview(data)
            while rest:
                rest = rest[os.write(self._file, rest) :]
            os.fsync(self._file)
        except OSError:
            # What the kernel still holds of this file is unknown now: nothing more goes into it.
            self._roll_now(b"")
            raise
        self._size += len(data)
        self._roll(b"")

    def _open(self) -> None:
        # The random part keeps receivers that share a bucket, and restarts within a microsecond, apart.
        name = f"{datetime.now(UTC):%Y%m%dT%H%M%S.%f}-{secrets.token_hex(4)}{OPEN}"
        self._path = self.folder / name
        self._file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        self._size, self._opened = 0, time.monotonic()
        _sync_folder(self.folder)

    def _roll(self, _data: bytes) -> None:
        old = time.monotonic() - self._opened >= self._roll_seconds
        if self._file is not None and (old or self._size >= self._roll_bytes):
            self._roll_now(b"")

    def _roll_now(self, _data: bytes) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None
            _seal(self._path)


def _seal(path: Path) -> None:
    """Cut a torn last line off, whose webhook was never answered, and give the file its final name."""
    with path.open("r+b") as file:
        whole = file.seek(0, os.SEEK_END)
        while whole and not _ends_line(file.fileno(), whole):
            whole -= 1
        file.truncate(whole)
        os.fsync(file.fileno())
    if whole:
        path.rename(path.with_suffix(SEALED))
    else:
        path.unlink()
    _sync_folder(path.parent)


def _ends_line(file: int, end: int) -> bool:
    return os.pread(file, 1, end - 1) == b"\n"


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
