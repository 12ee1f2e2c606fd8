"""A filter of system calls (seccomp, mode 2) without which no function is begun.

Namespaces and a read-only root take away network and files. The filter takes away what they leave: further
processes, so that limits of one process are limits of all; sockets of families that no namespace bounds; and
memory that is no process's (shared segments, message queues, files without a name), which rlimits do not
count. A call that is newer than this list does not exist.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct

# Name → number on x86-64 and on arm64 (None: it has no such call). Linux' syscall_64.tbl and unistd.h.
DENIED: dict[str, tuple[int | None, int | None]] = {
    "fork": (57, None),
    "vfork": (58, None),
    "execve": (59, 221),
    "execveat": (322, 281),
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "kcmp": (312, 272),
    "pidfd_open": (434, 434),
    "pidfd_getfd": (438, 438),
    "socket": (41, 198),
    "socketpair": (53, 199),
    "shmget": (29, 194),
    "semget": (64, 190),
    "msgget": (68, 186),
    "mq_open": (240, 180),
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "unshare": (272, 97),
    "setns": (308, 268),
    "chroot": (161, 51),
    "pivot_root": (155, 41),
    "mount": (165, 40),
    "umount2": (166, 39),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fspick": (433, 433),
    "mount_setattr": (442, 442),
    "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "io_uring_setup": (425, 425),
    "vmsplice": (278, 75),
    "fanotify_init": (300, 262),
    "inotify_init": (253, None),
    "inotify_init1": (294, 26),
    "syslog": (103, 116),
    "personality": (135, 92),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "kexec_load": (246, 104),
    "kexec_file_load": (320, 294),
}
_LAST_KNOWN = 462
_CLONE3 = 435
_ARCHITECTURES = {"x86_64": (0xC000003E, 0, 56), "aarch64": (0xC00000B7, 1, 220)}
_CLONE_THREAD = 0x00010000
_LOAD, _EQUAL, _GREATER, _ANY_BIT, _RETURN = 0x20, 0x15, 0x25, 0x45, 0x06
_NUMBER, _ARCHITECTURE, _FIRST_ARGUMENT = 0, 4, 16
_ALLOW, _ERRNO, _KILL = 0x7FFF0000, 0x00050000, 0x80000000
_SET_NO_NEW_PRIVS, _SET_SECCOMP, _MODE_FILTER = 38, 22, 2


class _Program(ctypes.Structure):
    """struct sock_fprog."""

    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


def lock() -> None:
    """Put this process under the filter for good, before any other thread of it begins.

    Raises:
        OSError: this machine's processor is another one, or its kernel has no such filters.
    """
    machine = os.uname().machine
    if machine not in _ARCHITECTURES:
        raise OSError(errno.ENOSYS, f"no filter of system calls for {machine}")
    code = instructions(machine)
    program = _Program(len(code) // 8, code)
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl.argtypes = (ctypes.c_int, *([ctypes.c_ulong] * 4))
    done = libc.prctl(_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
    address = ctypes.cast(ctypes.pointer(program), ctypes.c_void_p).value or 0
    if not done or libc.prctl(_SET_SECCOMP, _MODE_FILTER, address, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "the kernel takes no filter of system calls")


def instructions(machine: str) -> bytes:
    """Return the filter's program (struct sock_filter, eight bytes each) for a kind of processor."""
    architecture, column, clone = _ARCHITECTURES[machine]
    refused, absent = _ERRNO | errno.EPERM, _ERRNO | errno.ENOSYS
    program = [
        _instruction(_LOAD, _ARCHITECTURE),
        _instruction(_EQUAL, architecture, yes=1),
        _instruction(_RETURN, _KILL),
        _instruction(_LOAD, _NUMBER),
        _instruction(_GREATER, _LAST_KNOWN, no=1),
        _instruction(_RETURN, absent),
        # Its flags lie in memory that a filter cannot read; the C library falls back on clone.
        _instruction(_EQUAL, _CLONE3, no=1),
        _instruction(_RETURN, absent),
    ]
    for numbers in DENIED.values():
        if (number := numbers[column]) is not None:
            program += [_instruction(_EQUAL, number, no=1), _instruction(_RETURN, refused)]
    program += [
        _instruction(_EQUAL, clone, no=3),
        _instruction(_LOAD, _FIRST_ARGUMENT),
        _instruction(_ANY_BIT, _CLONE_THREAD, yes=1),
        _instruction(_RETURN, refused),
        _instruction(_RETURN, _ALLOW),
    ]
    return b"".join(program)


def _instruction(code: int, value: int, *, yes: int = 0, no: int = 0) -> bytes:
    """One instruction; `yes` and `no` say how many are skipped after a comparison."""
    return struct.pack("=HBBI", code, yes, no, value)
