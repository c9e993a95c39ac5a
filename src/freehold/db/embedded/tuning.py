"""The settings of a server that shares its machine with everything else of ours."""

from __future__ import annotations

import os
from pathlib import Path


def tuned_settings(memory: int) -> dict[str, str]:
    """Settings for a machine of this much memory, which the server shares with everything else of ours."""
    megabyte = 1024 * 1024

    def share(divisor: int, least: int, most: int) -> str:
        return f"{max(least, min(most, memory // divisor // megabyte))}MB"

    return {
        "max_connections": "200",
        "shared_buffers": share(8, 64, 8192),
        "effective_cache_size": share(2, 128, 65536),
        "work_mem": share(1024, 4, 64),
        "maintenance_work_mem": share(32, 32, 1024),
        "max_wal_size": "2GB",
        "min_wal_size": "80MB",
        "wal_compression": "on",
        "random_page_cost": "1.1",
        "scram_iterations": "128",
        "idle_in_transaction_session_timeout": "5min",
        "tcp_keepalives_idle": "60",
        "track_io_timing": "on",
        "log_min_duration_statement": "2s",
        # Bound values are people's data: they are not for a log file.
        "log_parameter_max_length": "0",
        "log_parameter_max_length_on_error": "0",
        "log_line_prefix": "%m [%p] %u@%d ",
        "log_timezone": "UTC",
        "timezone": "UTC",
        "lc_messages": "C",
    }


def memory_bytes() -> int:
    """The memory that we may use: the machine's, or less where a container is allowed less."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for path in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        try:
            limit = Path(path).read_text().strip()
        except OSError:
            continue
        if limit.isdigit():
            total = min(total, int(limit))
    return total
