"""`/opt/ml` as a directory of a process's own: a mount namespace, as a container has one.

Linux lets an unprivileged process make a user and a mount namespace (a privileged one needs the second only). Where
that is forbidden (macOS, a container's seccomp filter, Ubuntu's AppArmor rule for user namespaces) `prepare` returns
False and `translate.py` stands in. No file or directory of the machine itself is made or changed by any of this.
"""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path

from modelwright.local.processes.translate import MOUNT_POINT

_PARENT = "/opt"

_CLONE_NEWNS = 0x00020000
_CLONE_NEWUSER = 0x10000000
_MS_BIND, _MS_REC, _MS_PRIVATE = 4096, 16384, 1 << 18


def prepare() -> bool:
    """Give this single-threaded process a mount namespace with an empty `/opt/ml`; False when the system forbids it.

    It is tried in a child first, so that a refusal leaves nothing half done. The rest of `/opt` stays visible.
    """
    if not sys.platform.startswith("linux") or not _works_in_a_child():
        return False
    _enter()
    return True


def bind(root: str) -> None:
    """Show `root` as `/opt/ml` in this process and its children alone. `prepare` returned True before the fork."""
    _call("unshare", _CLONE_NEWNS)
    _mount(root, MOUNT_POINT, None, _MS_BIND | _MS_REC)
    if os.getuid() != 0:
        _drop_capabilities()  # the user namespace gave them; with them, read-only files could be written


def _works_in_a_child() -> bool:
    child = os.fork()
    if child == 0:
        status = 1
        try:
            _enter()
            bind("/")
            status = 0
        except OSError:
            pass
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def _enter() -> None:
    try:
        _call("unshare", _CLONE_NEWNS)
    except PermissionError:
        _enter_user_namespace()
    _mount(None, "/", None, _MS_REC | _MS_PRIVATE)
    if not Path(MOUNT_POINT).is_dir():
        _cover_parent()


def _enter_user_namespace() -> None:
    user, group = os.getuid(), os.getgid()
    _call("unshare", _CLONE_NEWUSER | _CLONE_NEWNS)
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
    Path("/proc/self/gid_map").write_text(f"{group} {group} 1")


def _cover_parent() -> None:
    """Cover `/opt` with an empty memory file system that shows what was there, and `ml`."""
    hidden = os.open(_PARENT, os.O_RDONLY | os.O_DIRECTORY)
    try:
        entries = list(os.scandir(hidden))
        _mount("tmpfs", _PARENT, "tmpfs", 0, "mode=755")
        for entry in entries:
            _show_again(entry, f"/proc/self/fd/{hidden}/{entry.name}", f"{_PARENT}/{entry.name}")
        Path(MOUNT_POINT).mkdir()
    finally:
        os.close(hidden)


def _show_again(entry: os.DirEntry[str], hidden: str, shown: str) -> None:
    if entry.is_symlink():
        Path(shown).symlink_to(Path(hidden).readlink())
        return
    if entry.is_dir(follow_symlinks=False):
        Path(shown).mkdir()
    else:
        Path(shown).touch()
    _mount(hidden, shown, None, _MS_BIND | _MS_REC)


def _drop_capabilities() -> None:
    """https://man7.org/linux/man-pages/man2/capset.2.html: version 3 of the header, this process, two empty sets."""
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    _call("capset", header, (ctypes.c_uint32 * 6)())


def _mount(source: str | None, target: str, kind: str | None, flags: int, data: str | None = None) -> None:
    def text(value: str | None) -> bytes | None:
        return None if value is None else os.fsencode(value)

    _call("mount", text(source), text(target), text(kind), ctypes.c_ulong(flags), text(data))


def _call(name: str, *arguments: object) -> None:
    if getattr(_LIBC, name)(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")


_LIBC = ctypes.CDLL(None, use_errno=True)
