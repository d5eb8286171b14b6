"""How many rows broke which rule, per batch: read from what the batch wrote, so it is true after a kill as well."""

from collections import Counter
from dataclasses import dataclass

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from medallion.lake import Lake
from medallion.quarantine import QUARANTINE
from medallion.result import RuleResult
from medallion.rules import rules_of
from medallion.run import Run
from medallion.schemas import ENTITIES

TABLE = "silver.quality_results"
_SCHEMA = "table_name string, rule string, severity string, checked bigint, failed bigint, _run_id string"


@dataclass(frozen=True, slots=True)
class Summary:
    """Rows written and refused by table, and failures by (table, rule)."""

    written: dict[str, int]
    quarantined: dict[str, int]
    failed: dict[tuple[str, str], int]

    def rows(self, run_id: str) -> list[tuple[str, str, str, int, int, str]]:
        """Rows of quality_results: every rule of every table that the batch wrote to."""
        rows: list[tuple[str, str, str, int, int, str]] = []
        for entity in ENTITIES:
            table = entity.table
            judged = self.written.get(table, 0) + self.quarantined.get(table, 0)
            if judged:
                rows += [
                    (table, rule.name, rule.severity, judged, self.failed.get((table, rule.name), 0), run_id)
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


def summarise(run: Run, lake: Lake, *, judged_all: bool = False) -> Summary:
    """What this batch wrote into silver and quarantine, also before it was killed; nothing when it touched nothing.

    With `judged_all` every row of these tables counts: the batch has looked at all, and kept most as they were.
    """

    def mine(rows: DataFrame) -> DataFrame:
        return rows if judged_all else rows.where(F.col("_run_id") == run.batch_id)

    parts = []
    if any(lake.touched(table) for table in (*(f"silver.{entity.table}" for entity in ENTITIES), QUARANTINE)):
        for entity in ENTITIES:
            rows = lake.read(f"silver.{entity.table}")
            parts.append(_counts(mine(rows), F.lit(entity.table), "_warnings", "written"))
        parts.append(_counts(mine(lake.read(QUARANTINE)), F.col("table_name"), "_rejects", "quarantined"))
    summary = Summary({}, {}, {})
    for row in _union(parts).collect() if parts else []:
        if row["rule"] is not None:
            summary.failed[row["table_name"], row["rule"]] = int(row["n"])
        else:
            (summary.written if row["what"] == "written" else summary.quarantined)[row["table_name"]] = int(row["n"])
    return summary


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


def store(run: Run, lake: Lake, summary: Summary) -> None:
    """Write the batch's results once; a repeat of the same batch replaces them."""
    rows = summary.rows(run.batch_id)
    if not rows and lake.exists(TABLE):
        return
    results = run.spark.createDataFrame(rows, _SCHEMA)
    if lake.exists(TABLE) and not lake.read(TABLE).where(F.col("_run_id") == run.batch_id).isEmpty():
        lake.merge(TABLE, results, ["_run_id", "table_name", "rule"])
    else:
        lake.append(TABLE, results)


def _union(parts: list[DataFrame]) -> DataFrame:
    whole = parts[0]
    for part in parts[1:]:
        whole = whole.unionAll(part)
    return whole
