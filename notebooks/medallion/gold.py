"""Gold: the figures that people act on, each table exactly what a full rebuild from the released claims would give."""

from collections.abc import Callable, Sequence
from functools import partial

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import DecimalType, DoubleType, StructField

from medallion import pending, release
from medallion.customers import cross_sell, customer_360
from medallion.lake import Lake
from medallion.monthly import monthly_kpis
from medallion.parallel import at_once
from medallion.progress import Progress
from medallion.providers import provider_performance
from medallion.quarantine import QUARANTINE
from medallion.result import Result
from medallion.risk import risk_scoring
from medallion.run import Run
from medallion.standing import Standing

KEYS = {
    "gold.monthly_kpis": ("year_month",),
    "gold.customer_360": ("customer_id",),
    "gold.provider_performance": ("provider_id",),
    "gold.risk_scoring": ("species", "breed", "age_band", "claim_category"),
    "gold.cross_sell": ("customer_id", "offer"),
}
"""The aggregates and their grain."""
Write = Callable[[str, DataFrame, Sequence[str]], None]
TABLES = (release.TABLE, *KEYS)
NEEDED = ("claims", "policies", "customers", "pets", "vet_providers")


class Gold:
    """One run of the layer."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._lake = Lake(run)
        self._progress = Progress(run, TABLES)
        self._result = Result("gold")

    def run(self) -> Result:
        self._lake.ensure_schema("gold")
        self._lake.track(TABLES)
        missing = [table for table in NEEDED if not self._lake.exists(f"silver.{table}")]
        if missing:
            self._result.warnings.append(f"nothing to aggregate: silver has no {', '.join(missing)} yet")
            self._result.unknown_claim_ids = sorted(self._run.claim_ids or ())
        else:
            self._bring_up_to_date()
        self._result.tables = list(self._lake.results.values())
        self._count()
        self._progress.finished()
        if self._progress.failure:
            self._result.warnings.append(self._progress.failure)
        return self._result

    def _bring_up_to_date(self) -> None:
        standing = Standing(self._run, self._lake, "gold", [f"silver.{table}" for table in NEEDED])
        if not standing.holds():
            self._build(anew=standing.is_of_other_code)
            self._lake.finish()
            standing.keep(nothing_pending=self._run.claim_ids is None)
        self._result.unknown_claim_ids = self._unknown_claim_ids()

    def _build(self, *, anew: bool) -> None:
        release.release(self._run, self._lake, anew=anew)
        self._progress.did(release.TABLE)
        write = self._lake.replace if anew else self._lake.sync
        figures = self._figures()
        at_once([partial(self._write, write, table, figures[table]) for table in figures])
        self._write(write, "gold.cross_sell", lambda: cross_sell(self._lake.read("gold.customer_360")))

    def _write(self, write: Write, table: str, build: Callable[[], DataFrame]) -> None:
        write(table, self._stamped(build()), KEYS[table])
        self._progress.did(table)

    def _figures(self) -> dict[str, Callable[[], DataFrame]]:
        """The aggregates that are made of released claims."""
        run, read = self._run, self._lake.read
        claims = read(release.TABLE)
        customers, pets, policies = read("silver.customers"), read("silver.pets"), read("silver.policies")
        return {
            "gold.monthly_kpis": lambda: monthly_kpis(run.spark, claims, policies, run.as_of),
            "gold.customer_360": lambda: customer_360(customers, pets, policies, claims, run.as_of),
            "gold.provider_performance": lambda: provider_performance(read("silver.vet_providers"), claims, run.as_of),
            "gold.risk_scoring": lambda: risk_scoring(pets, policies, claims, run.as_of),
        }

    def _stamped(self, rows: DataFrame) -> DataFrame:
        """With a hash of the figures, the day they are valued at and the run. A new day alone is no change."""
        return rows.select(
            "*",
            F.md5(F.to_json(F.struct(*map(_alike, rows.schema.fields)))).alias("_row_hash"),
            F.lit(self._run.as_of).alias("as_of"),
            F.lit(self._run.batch_id).alias("_run_id"),
        )

    def _unknown_claim_ids(self) -> list[str]:
        if self._run.claim_ids is None:
            return []
        known = self._lake.read("silver.claims").select("claim_id")
        if self._lake.exists(QUARANTINE):
            rejected = self._lake.read(QUARANTINE).where("table_name = 'claims'")
            known = known.unionAll(rejected.select(F.col("key").alias("claim_id")))
        return pending.unknown_claim_ids(self._run, known)

    def _count(self) -> None:
        """In and out are released claims; the aggregates count for themselves only."""
        for result in self._result.tables:
            result.rows_in = result.rows_out
        released = self._lake.results[release.TABLE]
        self._result.rows_in = released.rows_out
        self._result.rows_out = sum(result.rows_out for result in self._result.tables)


def _alike(field: StructField) -> Column:
    """A column in a form that every engine writes alike; a figure has six places at most."""
    column = F.col(field.name)
    if isinstance(field.dataType, DoubleType):
        column = column.cast("decimal(24,6)").cast("string")
    elif isinstance(field.dataType, DecimalType):
        column = column.cast("string")
    return column.alias(field.name)


def run_gold(run: Run) -> Result:
    """Release silver's claims and bring every figure up to date. Repeating it changes nothing."""
    return Gold(run).run()
