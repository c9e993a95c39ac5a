"""The process that becomes Chromium: it puts two pipes where Chromium looks for them, and is replaced by it.

python -m freehold.providers.chromium_launcher READ_FD WRITE_FD CHROMIUM ARGUMENT...
"""

from __future__ import annotations

import fcntl
import os
import resource
import sys
from pathlib import Path

READS, WRITES = 3, 4
"""Where Chromium reads what it is told, and writes what it answers."""


def main() -> None:
    """Become Chromium."""
    reads, writes, chromium, *arguments = sys.argv[1:]
    # By way of other numbers, as each may have the number that is meant for the other.
    high = [fcntl.fcntl(int(each), fcntl.F_DUPFD_CLOEXEC, WRITES + 1) for each in (reads, writes)]
    os.close(int(reads))
    os.close(int(writes))
    os.dup2(high[0], READS)
    os.dup2(high[1], WRITES)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        Path("/proc/self/oom_score_adj").write_text("1000")  # rather this than the server or its database
    os.execv(chromium, [chromium, *arguments])  # noqa: S606


if __name__ == "__main__":
    main()
