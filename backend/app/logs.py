"""How the server logs: a JSON object a line, or readable lines on a terminal. Facts are fields, and no token is one."""

from __future__ import annotations

import logging
import sys
from collections.abc import Collection

import structlog

MASK = "***"


class Masked:
    """Secrets that are blotted out of every line, should one ever find its way into it."""

    def __init__(self, secrets: Collection[str] = ()) -> None:
        self._secrets = {secret for secret in secrets if secret}

    def add(self, secret: str) -> None:
        """One more, known later than the others."""
        self._secrets.add(secret)

    def clean(self, line: str) -> str:
        """The line without them."""
        for secret in self._secrets:
            line = line.replace(secret, MASK)
        return line

    def __call__(self, _logger: object, _method: str, line: str) -> str:
        """The last of structlog's processors: what is written is a text by then."""
        return self.clean(line)


class _LibraryLines(logging.Formatter):
    """Lines of libraries, traces included."""

    def __init__(self, masked: Masked) -> None:
        super().__init__("%(levelname)s %(name)s %(message)s")
        self._masked = masked

    def format(self, record: logging.LogRecord) -> str:
        return self._masked.clean(super().format(record))


def configure(level: int = logging.INFO, *, masked: Masked | None = None) -> None:
    """Set up structlog for this process, from `level` on; libraries speak only from warning on."""
    masked = masked or Masked()
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer(colors=True) if sys.stderr.isatty() else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
            masked,  # type: ignore[list-item]  # the renderer hands a text on, which the type of processors does not know
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    of_libraries = logging.StreamHandler(sys.stderr)
    of_libraries.setFormatter(_LibraryLines(masked))
    logging.basicConfig(handlers=[of_libraries], level=logging.WARNING)
