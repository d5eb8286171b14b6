"""How many rows broke which rule, per batch: read from what the batch wrote, so it is true after a kill as well."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from medallion.lake import Lake
from medallion.quarantine import QUARANTINE
from medallion.result import RuleResult
from medallion.rules import rules_of
from medallion.schemas import ENTITIES

TABLE = "silver.quality_results"
_SCHEMA = "table_name string, rule string, severity string, checked bigint, failed bigint, _run_id string"


@dataclass(frozen=True, slots=True)
class Summary:
    """Rows written and refused by table, and failures by (table, rule)."""

    written: Counter[str] = field(default_factory=Counter)
    quarantined: Counter[str] = field(default_factory=Counter)
    failed: Counter[tuple[str, str]] = field(default_factory=Counter)

    def __add__(self, other: "Summary") -> "Summary":
        return Summary(self.written + other.written, self.quarantined + other.quarantined, self.failed + other.failed)

    def rows(self, run_id: str) -> list[tuple[str, str, str, int, int, str]]:
        """Rows of quality_results: every rule of every table that the batch wrote to."""
        rows: list[tuple[str, str, str, int, int, str]] = []
        for entity in ENTITIES:
            table = entity.table
            judged = self.written[table] + self.quarantined[table]
            if judged:
                rows += [
                    (table, rule.name, rule.severity, judged, self.failed[table, rule.name], run_id)
                    for rule in rules_of(table)
                ]
        return rows

    def broken(self) -> list[RuleResult]:
        """The rules that were broken, over all tables."""
        counts: Counter[tuple[str, str]] = Counter()
        for table, rule, severity, _, failed, _ in self.rows(""):
            if table and failed:
                counts[rule, severity] += failed
        return [RuleResult(rule, severity, failed) for (rule, severity), failed in sorted(counts.items())]


def summarise(lake: Lake, *run_ids: str) -> Summary:
    """What batches wrote into silver and quarantine, also before they were killed."""
    mine = _of(run_ids)
    return _summary([*_written(lake, mine), _quarantined(lake, mine)])


def written(lake: Lake, *run_ids: str) -> Summary:
    """What batches wrote into the tables that they judge for."""
    return _summary(_written(lake, _of(run_ids)))


def quarantined(lake: Lake, *run_ids: str) -> Summary:
    """What batches put into quarantine."""
    return _summary([_quarantined(lake, _of(run_ids))])


def summarise_all(lake: Lake) -> Summary:
    """Every row of silver and quarantine: of a batch that has looked at all, and kept most as they were."""
    return _summary([*_written(lake, _all), _quarantined(lake, _all)])


_Mine = Callable[[DataFrame], DataFrame]


def _all(rows: DataFrame) -> DataFrame:
    return rows


def _of(run_ids: Sequence[str]) -> _Mine:
    return lambda rows: rows.where(F.col("_run_id").isin(*run_ids))


def _written(lake: Lake, mine: _Mine) -> list[DataFrame]:
    return [
        _counts(mine(lake.read(f"silver.{entity.table}")), F.lit(entity.table), "_warnings", "written")
        for entity in ENTITIES
    ]


def _quarantined(lake: Lake, mine: _Mine) -> DataFrame:
    return _counts(mine(lake.read(QUARANTINE)), F.col("table_name"), "_rejects", "quarantined")


def _summary(counts: list[DataFrame]) -> Summary:
    summary = Summary()
    for row in _union(counts).collect():
        if row["rule"] is not None:
            summary.failed[row["table_name"], row["rule"]] = int(row["n"])
        else:
            (summary.written if row["what"] == "written" else summary.quarantined)[row["table_name"]] = int(row["n"])
    return summary


def untold(lake: Lake) -> list[str]:
    """The batches that have rows waiting in quarantine and no results: they died in between."""
    if not lake.exists(QUARANTINE):
        return []
    waiting = lake.read(QUARANTINE).select("_run_id")
    if lake.exists(TABLE):
        waiting = waiting.join(lake.read(TABLE).select("_run_id"), "_run_id", "left_anti")
    return sorted(row[0] for row in waiting.distinct().collect())


def unfinished(lake: Lake) -> list[str]:
    """The batches that have rows in silver, none in quarantine and no results: they died before their refused rows were
    written, which are in quarantine as those of the run that comes next."""
    if not lake.exists(TABLE):
        return []
    tables = [f"silver.{entity.table}" for entity in ENTITIES if lake.exists(f"silver.{entity.table}")]
    told = [lake.read(table).select("_run_id") for table in (TABLE, QUARANTINE) if lake.exists(table)]
    written = _union([lake.read(table).select("_run_id").distinct() for table in tables])
    return sorted({row[0] for row in written.join(_union(told), "_run_id", "left_anti").collect()})


def _counts(rows: DataFrame, table: Column, broken: str, what: str) -> DataFrame:
    """(table_name, what, rule, n): one row without a rule for all rows, one for each broken rule."""
    named = F.array_append(F.col(broken), F.lit("*"))
    exploded = rows.select(table.alias("table_name"), F.explode(named).alias("name"))
    rule = F.when(F.col("name") != "*", F.col("name")).alias("rule")
    return (
        exploded.groupBy("table_name", "name")
        .agg(F.count("*").alias("n"))
        .select("table_name", F.lit(what).alias("what"), rule, "n")
    )


def store(lake: Lake, run_id: str, summary: Summary, finished: Sequence[str] = ()) -> None:
    """Write a batch's results once; a repeat of the same batch replaces them.

    They are told with those of the batches that this one has `finished`: a share of what was refused is one of all that
    landed together. Of these nothing is left to be told.
    """
    rows = summary.rows(run_id)
    rows += [(*row[:3], 0, 0, died) for died in finished for row in rows]
    if not rows and lake.exists(TABLE):
        return
    results = lake.spark.createDataFrame(rows, _SCHEMA)
    if lake.exists(TABLE) and not lake.read(TABLE).where(F.col("_run_id") == run_id).isEmpty():
        lake.merge(TABLE, results, ["_run_id", "table_name", "rule"])
    else:
        lake.append(TABLE, results)


def _union(parts: list[DataFrame]) -> DataFrame:
    whole = parts[0]
    for part in parts[1:]:
        whole = whole.unionAll(part)
    return whole
