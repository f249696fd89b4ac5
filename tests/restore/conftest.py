"""Restorers that the promises are tested with."""

import pytest

from selfsharp.restore.restorer import Restorer


@pytest.fixture(scope="session")
def made_up_restorer(made_up) -> Restorer:
    return Restorer(made_up, threads=1)


@pytest.fixture(scope="session", params=["made-up", "base"])
def restorer(request, made_up) -> Restorer:
    """The made-up model, and the bundled one."""
    return Restorer(made_up if request.param == "made-up" else "base", threads=1)


@pytest.fixture(scope="module")
def base() -> Restorer:
    """The bundled model, with less effort."""
    return Restorer(threads=1, quality="fast")
