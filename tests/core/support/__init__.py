"""What the tests of the core share."""

import pytest

pytest.register_assert_rewrite("tests.core.support.core", "tests.core.support.history", "tests.core.support.stored_run")
