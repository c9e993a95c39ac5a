"""Whatever speaks to the platform from outside: the official SDKs and command line, and a browser."""

import pytest

pytest.register_assert_rewrite("tests.clients.methods", "tests.clients.browser")
