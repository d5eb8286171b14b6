"""The exit value of a notebook: what it read, wrote and refused."""

import json
from dataclasses import asdict, dataclass, field


@dataclass(slots=True)
class TableResult:
    """One table of the layer. `version_before` is None for a table that did not exist."""

    name: str
    version_before: int | None = None
    version_after: int | None = None
    rows_in: int = 0
    rows_out: int = 0
    rows_quarantined: int = 0
    rows: int | None = None


@dataclass(frozen=True, slots=True)
class RuleResult:
    rule: str
    severity: str
    failed: int


@dataclass(slots=True)
class Result:
    layer: str
    rows_in: int = 0
    rows_out: int = 0
    rows_quarantined: int = 0
    tables: list[TableResult] = field(default_factory=list)
    quality: list[RuleResult] = field(default_factory=list)
    unknown_claim_ids: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def to_json(self) -> str:
        """The text for `dbutils.notebook.exit`."""
        return json.dumps(asdict(self))
