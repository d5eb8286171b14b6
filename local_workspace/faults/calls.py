"""Which calls a rule is about: a name, or a method with a path in which `*` stands for anything."""

from __future__ import annotations

from fnmatch import fnmatchcase

NAMES = {
    "any": "* /api/*",
    "run-now": "POST /api/2.*/jobs/run-now",
    "submit": "POST /api/2.*/jobs/runs/submit",
    "cancel": "POST /api/2.*/jobs/runs/cancel",
    "repair": "POST /api/2.*/jobs/runs/repair",
    "runs/get": "GET /api/2.*/jobs/runs/get",
    "runs/list": "GET /api/2.*/jobs/runs/list",
    "get-output": "GET /api/2.*/jobs/runs/get-output",
    "runs": "GET /api/2.*/jobs/runs/*",
    "jobs": "* /api/2.*/jobs/*",
    "clusters": "* /api/2.*/clusters/*",
    "statements": "* /api/2.0/sql/statements*",
    "files": "* /api/2.0/fs/*",
    "me": "GET /api/2.0/preview/scim/v2/Me",
}
METHODS = frozenset({"*", "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"})
MAX_PATTERN = 300
# The switchboard itself and the pages of people work whatever the rules say.
NEVER = "/api/local/"


def is_call(text: str) -> bool:
    """Whether the text names a call."""
    method, _, path = text.partition(" ")
    return text in NAMES or (method in METHODS and path.startswith(("/", "*")) and len(text) <= MAX_PATTERN)


def matches(call: str, method: str, path: str) -> bool:
    """Whether a request is such a call."""
    if path.startswith(NEVER) or not path.startswith("/api/"):
        return False
    wanted_method, _, pattern = NAMES.get(call, call).partition(" ")
    return wanted_method in ("*", method) and fnmatchcase(path, pattern)
