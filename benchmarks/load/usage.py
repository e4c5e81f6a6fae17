"""What processes use: CPU time and memory of a process and everything that it started."""

from collections.abc import Mapping

import psutil


def cpu_seconds(pid: int) -> float:
    """Return the CPU time of a process tree so far, of children that have ended as well."""
    total = 0.0
    for process in _tree(pid):
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:  # it is in its parent's account of ended children then
            continue
        total += times.user + times.system + times.children_user + times.children_system
    return total


def memory_bytes(pid: int) -> int:
    """Return the resident memory of a process tree; pages that its processes share count for each of them."""
    total = 0
    for process in _tree(pid):
        try:
            total += process.memory_info().rss
        except psutil.NoSuchProcess:
            continue
    return total


def cpu_of(processes: Mapping[str, int]) -> dict[str, float]:
    """Return the CPU time of each named process tree so far."""
    return {name: cpu_seconds(pid) for name, pid in processes.items()}


def spent(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    """Return what was used between two calls of `cpu_of`."""
    return {name: after[name] - before[name] for name in before}


def _tree(pid: int) -> list[psutil.Process]:
    root = psutil.Process(pid)
    return [root, *root.children(recursive=True)]
