"""The same site as in tests/web."""

from tests.web.conftest import clock, enter

__all__ = ["clock", "enter"]
