from __future__ import annotations

import asyncio
import errno
import os
from pathlib import Path

import pytest

from airflow_provider_cio.receiver.journal import Journal
from airflow_provider_cio.receiver.seen import Seen


def journal(folder: Path, **options: float) -> Journal:
    return Journal(folder, **{"roll_bytes": 1 << 20, "roll_seconds": 3600.0, **options})  # type: ignore[arg-type]


async def append(target: Journal, *lines: bytes) -> None:
    running = asyncio.ensure_future(target.run())
    await asyncio.gather(*(target.append(line) for line in lines))
    running.cancel()


def test_a_torn_last_line_is_cut_off_and_whole_lines_stay(tmp_path: Path) -> None:
    (tmp_path / "20260101T000000.000000-aa.open").write_bytes(b"one\ntwo\nthr")
    (tmp_path / "20260101T000001.000000-aa.open").write_bytes(b"never answered")
    assert list(journal(tmp_path).lines()) == [b"one\n", b"two\n"]
    assert len(list(tmp_path.iterdir())) == 1


def test_what_arrives_together_is_synced_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []
    real = os.fsync
    monkeypatch.setattr(os, "fsync", lambda handle: (calls.append(handle), real(handle)))
    asyncio.run(append(journal(tmp_path), *(b"%d" % n for n in range(500))))
    [file] = tmp_path.iterdir()
    assert file.read_bytes() == b"".join(b"%d\n" % n for n in range(500))
    assert len(calls) < 10


def test_a_file_is_sealed_by_size(tmp_path: Path) -> None:
    target = journal(tmp_path, roll_bytes=10)

    async def one_after_another() -> None:
        running = asyncio.ensure_future(target.run())
        for _ in range(4):
            await target.append(b"12345")
        running.cancel()

    asyncio.run(one_after_another())
    assert [path.read_bytes() for path in target.sealed()] == [b"12345\n12345\n"] * 2


def test_a_full_disk_is_told_and_the_next_try_starts_a_new_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = journal(tmp_path)
    real, fail = os.write, [True]

    def write(handle: int, data: bytes) -> int:
        if fail:
            real(handle, bytes(data)[:3])
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(handle, data)

    monkeypatch.setattr(os, "write", write)
    with pytest.raises(OSError, match="No space"):
        asyncio.run(append(target, b"first"))
    assert target.failing
    fail.clear()
    asyncio.run(append(target, b"second"))
    assert not target.failing
    asyncio.run(target.close())
    assert list(target.lines()) == [b"second\n"]


def test_a_repeat_waits_for_the_first_and_fails_with_it() -> None:
    async def race() -> list[object]:
        seen, release = Seen(), asyncio.Event()

        async def store() -> None:
            await release.wait()
            raise OSError(errno.EIO, "broken")

        both = [asyncio.ensure_future(seen.once("a", store)) for _ in range(2)]
        await asyncio.sleep(0)
        assert not any(each.done() for each in both)
        release.set()
        failed = await asyncio.gather(*both, return_exceptions=True)

        async def works() -> None: ...

        return [*failed, await seen.once("a", works), await seen.once("a", works)]

    first, second, stored, again = asyncio.run(race())
    assert isinstance(first, OSError)
    assert isinstance(second, OSError)
    assert (stored, again) == (True, False)


def test_only_the_last_keys_are_remembered() -> None:
    async def run() -> list[bool]:
        seen = Seen(most=2)

        async def store() -> None: ...

        return [await seen.once(key, store) for key in ("a", "b", "c", "c", "a")]

    assert asyncio.run(run()) == [True, True, True, False, True]
