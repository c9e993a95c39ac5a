"""A Chromium for the platform that tests start: what `make setup` unpacks, or CHROMIUM names."""

from __future__ import annotations

import os
import shlex
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SHIPPED = Path(__file__).parents[1] / "clients" / "node_modules" / ".chromium"


@contextmanager
def chromium_settings() -> Iterator[dict[str, str]]:
    """What the platform is told. The shipped Chromium needs libraries and fonts that lie beside it."""
    with tempfile.TemporaryDirectory(prefix="fh-chromium-", dir="/tmp") as directory:
        path = os.environ.get("CHROMIUM", "")
        if not path:
            program = Path(directory, "chromium")
            program.write_text(
                "#!/bin/sh\n"
                f"export LD_LIBRARY_PATH={shlex.quote(str(SHIPPED / 'lib'))}"
                f" FONTCONFIG_PATH={shlex.quote(str(SHIPPED))}\n"
                f'exec {shlex.quote(str(SHIPPED / "chromium"))} "$@"\n'
            )
            program.chmod(0o700)
            path = str(program)
        yield {"FREEHOLD_CHROMIUM": path, "FREEHOLD_CHROMIUM_SANDBOX": "false"}
