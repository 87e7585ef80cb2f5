"""What the tests of all examples share: the running server."""

import pytest

from latchstring_api import Server


@pytest.fixture(scope="session")
def server():
    return Server()
