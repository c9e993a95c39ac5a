"""`python -m freehold.config` prints the page of all settings."""

import sys

from freehold.config.reference import render_reference

sys.stdout.write(render_reference())
