"""`python -m conformance SERVICE_FOLDER`: hold a service that runs against its contract.

CONFORMANCE_URL, CONFORMANCE_DATABASE_URL (an administrator's) and CONFORMANCE_SECRET (its AUTH_DEV_SECRET)
say where it is. Further words go to pytest.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from conformance.suite import assemble


def main(service: str, *words: str) -> int:
    with tempfile.TemporaryDirectory(prefix="conformance-") as folder:
        where = assemble(Path(folder) / "run", Path(service))
        return subprocess.run([sys.executable, "-m", "pytest", *words], cwd=where, check=False).returncode


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
