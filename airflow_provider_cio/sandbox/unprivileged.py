"""Run a program that refuses to be root: ``python -m ...unprivileged FOLDER PROGRAM ARGUMENT...``.

PostgreSQL does not start as root. Root therefore enters a user namespace in which its files are still its own but
its number is another. Where namespaces are forbidden, FOLDER is given to `nobody` and the program runs as nobody.
"""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path

CLONE_NEWUSER = 0x10000000
ORDINARY = 1000
NOBODY = 65534


def _enter_namespace() -> bool:
    group = os.getgid()
    try:
        unshare = ctypes.CDLL(None, use_errno=True).unshare
    except AttributeError:
        return False
    if unshare(CLONE_NEWUSER) != 0:
        return False
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{ORDINARY} 0 1")
    Path("/proc/self/gid_map").write_text(f"{ORDINARY} {group} 1")
    return True


def _become_nobody(folder: Path) -> None:
    for path in (folder, *folder.rglob("*")):
        os.chown(path, NOBODY, NOBODY)
    os.setgroups([])
    os.setgid(NOBODY)
    os.setuid(NOBODY)


def main(folder: str, *command: str) -> None:
    """Replace this process by the command."""
    if os.geteuid() == 0 and not _enter_namespace():
        _become_nobody(Path(folder))
    os.execv(command[0], command)


if __name__ == "__main__":
    main(*sys.argv[1:])
