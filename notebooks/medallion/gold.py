"""Gold: the figures that people act on, each table exactly what a full rebuild from the released claims would give."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from medallion import contents, few, pending, release
from medallion.changes import changed_customers
from medallion.customers import cross_sell, customer_360
from medallion.figures import FIGURES, SCHEMAS
from medallion.ibnr import ibnr_by_month, reported_by_month
from medallion.lake import Lake
from medallion.monthly import claims_by_month, earned_by_month, monthly_kpis
from medallion.parallel import at_once, both
from medallion.progress import Progress
from medallion.providers import provider_performance
from medallion.quarantine import QUARANTINE
from medallion.result import Result
from medallion.risk import exposure_by_age, risk_scoring
from medallion.run import Run
from medallion.standing import Standing

Write = Callable[[Lake, str, DataFrame, Sequence[str]], None]
TABLES = (release.TABLE, *FIGURES)
_OF_THE_BOOK = ("gold.monthly_kpis", "gold.provider_performance", "gold.risk_scoring")
NEEDED = ("claims", "policies", "customers", "pets", "vet_providers")


@dataclass(frozen=True, slots=True)
class _Ahead:
    """What can be told while claims are released: premium earned by month, exposure by age, and what the figures of the
    book hold."""

    earned: DataFrame
    exposure: DataFrame
    held: dict[str, pa.Table | None]


class Gold:
    """One run of the layer."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._lake = Lake(run, SCHEMAS, book="silver.claims")
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
            self._build(standing)
            self._lake.finish()
            standing.keep(nothing_pending=self._run.claim_ids is None)
        self._result.unknown_claim_ids = pending.unknown_claim_ids(self._run, self._judged_claim_ids)

    def _build(self, standing: Standing) -> None:
        anew = standing.is_to_be_made_anew
        moved, ahead = both(
            partial(release.release, self._run, self._lake, standing, anew=anew), partial(self._ahead, standing)
        )
        self._progress.did(release.TABLE)
        write = contents.replace if anew else contents.sync
        whole = [
            partial(self._write, write if anew else partial(contents.sync, held=ahead.held.get(table)), table, make)
            for table, make in self._figures(standing, ahead).items()
        ]
        at_once([*whole, partial(self._customers, standing, moved, write), partial(self._lake.finish, [release.TABLE])])

    def _ahead(self, standing: Standing) -> _Ahead:
        compared = () if standing.is_to_be_made_anew else _OF_THE_BOOK
        as_of, pets, policies = self._run.as_of, self._lake.read("silver.pets"), self._lake.read("silver.policies")
        return _Ahead(
            standing.part("earned", ["silver.policies"], lambda: earned_by_month(policies, as_of)),
            standing.part(
                "exposure", ["silver.policies", "silver.pets"], lambda: exposure_by_age(pets, policies, as_of)
            ),
            {table: contents.known(self._lake, table, FIGURES[table].keys) for table in compared},
        )

    def _write(self, write: Write, table: str, make: Callable[[], DataFrame]) -> None:
        self._write_stamped(write, table, FIGURES[table].stamped(make(), self._run))

    def _write_stamped(self, write: Write, table: str, rows: DataFrame) -> None:
        write(self._lake, table, rows, FIGURES[table].keys)
        self._done(table)

    def _done(self, table: str) -> None:
        self._lake.finish([table])
        self._progress.did(table)

    def _figures(self, standing: Standing, ahead: _Ahead) -> dict[str, Callable[[], DataFrame]]:
        """The aggregates of the whole book, which are cheap to make again."""
        spark, as_of, read = self._run.spark, self._run.as_of, self._lake.read
        claims = read(release.TABLE)

        def monthly() -> DataFrame:
            by_month = standing.part_by_partition("claims", release.TABLE, partial(claims_by_month, as_of=as_of))
            reported = standing.part_by_partition("reported", release.TABLE, partial(reported_by_month, as_of=as_of))
            return monthly_kpis(by_month, ibnr_by_month(spark, reported, as_of), ahead.earned)

        def providers() -> DataFrame:
            return provider_performance(read("silver.vet_providers"), claims, as_of)

        def risk() -> DataFrame:
            return risk_scoring(ahead.exposure, claims, as_of)

        return dict(zip(_OF_THE_BOOK, (monthly, providers, risk), strict=True))

    def _customers(self, standing: Standing, moved: frozenset[str] | None, write: Write) -> None:
        """Customers and what suits them: all, or the few that something has changed for.

        `moved` are the customers whose claims this run has changed, where nobody else has changed any.
        """
        ids = changed_customers(self._lake, standing, moved)
        if ids is None:
            another_day = partial(contents.sync, differs=True)
            write_all = another_day if write is contents.sync and self._is_another_day(standing) else write
            self._write(write_all, "gold.customer_360", lambda: self._customer_rows(self._lake.read))
            self._write(write, "gold.cross_sell", lambda: cross_sell(self._lake.read("gold.customer_360")))
        elif ids:
            self._few_customers(few.column(self._run, "customer_id", ids))
        else:
            self._done("gold.customer_360")
            self._done("gold.cross_sell")

    def _is_another_day(self, standing: Standing) -> bool:
        """Whether the days to renewal, which each customer with a policy in force has, are others than they were."""
        if not standing.days_since or not self._lake.exists("gold.customer_360"):
            return False
        return not self._lake.read("gold.customer_360").where("days_to_renewal IS NOT NULL").isEmpty()

    def _few_customers(self, changed: DataFrame) -> None:
        def of_changed(table: str) -> DataFrame:
            return self._lake.read(table).join(changed, "customer_id", "left_semi")

        def write_part(lake: Lake, table: str, wanted: DataFrame, keys: Sequence[str]) -> None:
            contents.sync_part(lake, table, wanted, keys, of_changed(table))

        customers = FIGURES["gold.customer_360"].stamped(self._customer_rows(of_changed), self._run)
        customers = few.computed(self._run, customers)
        at_once(
            [
                partial(self._write_stamped, write_part, "gold.customer_360", customers),
                partial(self._write, write_part, "gold.cross_sell", lambda: cross_sell(customers)),
            ]
        )

    def _customer_rows(self, read: Callable[[str], DataFrame]) -> DataFrame:
        tables = ("silver.customers", "silver.pets", "silver.policies", release.TABLE)
        customers, pets, policies, claims = map(read, tables)
        return customer_360(customers, pets, policies, claims, self._run.as_of)

    def _judged_claim_ids(self) -> DataFrame:
        known = self._lake.read("silver.claims").select("claim_id")
        if self._lake.exists(QUARANTINE):
            rejected = self._lake.read(QUARANTINE).where("table_name = 'claims'")
            known = known.unionAll(rejected.select(F.col("key").alias("claim_id")))
        return known

    def _count(self) -> None:
        """In and out are released claims; the aggregates count for themselves only."""
        for result in self._result.tables:
            result.rows_in = result.rows_out
        released = self._lake.results[release.TABLE]
        self._result.rows_in = released.rows_out
        self._result.rows_out = sum(result.rows_out for result in self._result.tables)


def run_gold(run: Run) -> Result:
    """Release silver's claims and bring every figure up to date. Repeating it changes nothing."""
    return Gold(run).run()
