"""Runs that die on the way."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest


class Killed(BaseException):
    """The process ends here; nothing of ours can catch it."""


@contextmanager
def killed_in(function: str) -> Iterator[None]:
    """What runs inside dies as it calls the function, `package.module.name`, and has to."""

    def die(*_: object) -> None:
        raise Killed

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(function, die)
        with pytest.raises(Killed):
            yield
