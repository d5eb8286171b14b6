"""The gate before gold: a batch of which too large a share was refused is no batch to act on."""

from collections import defaultdict
from dataclasses import dataclass

from pyspark.sql import functions as F

from medallion import quality
from medallion.lake import Lake
from medallion.parallel import both
from medallion.quarantine import QUARANTINE
from medallion.run import Run

MIN_JUDGED = 100
MIN_REFUSED = 20
"""A batch has so many rows judged, or so many refused, of one table before its share says anything: one bad claim alone
is no bad batch."""


class TooManyRejected(RuntimeError):
    """More than `max_reject_share` of a batch waits in quarantine. Nothing is lost, and gold is not touched."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Rows of one batch and table that wait in quarantine, and the rule most of them break."""

    table: str
    batch_id: str
    waiting: int
    checked: int
    rule: str
    broken: int

    @property
    def share(self) -> float:
        return self.waiting / self.checked


def check(run: Run, lake: Lake) -> None:
    """Let the run pass when no batch waits in quarantine by more than the allowed share.

    Asked of all batches and not only of this one: a repeat of a failed run finds nothing new, and must not pass for it.
    Corrected rows leave quarantine and so open the gate.
    Raises: TooManyRejected.
    """
    worst = max(_refusals(lake), key=lambda refusal: refusal.share, default=None)
    if worst is None or worst.share <= run.max_reject_share:
        return
    raise TooManyRejected(
        f"{lake.full_name(f'silver.{worst.table}')}: {worst.waiting} of {worst.checked} rows of run {worst.batch_id} "
        f"({worst.share:.0%}) were refused, above max_reject_share {run.max_reject_share:g}; {worst.broken} of them by "
        f"rule {worst.rule}. The raw rows are kept in bronze, each refused one is in {lake.full_name(QUARANTINE)} with "
        "its reason. Land corrected rows, or pass a higher max_reject_share; gold was not touched."
    )


def _refusals(lake: Lake) -> list[Refusal]:
    """One for each batch and table with enough rows to judge it by; few rows of few batches, so paired here."""
    batch = ("table_name", "_run_id")
    waiting, checked = both(
        lake.read(QUARANTINE).groupBy(*batch, "rule").agg(F.count("*").alias("n")).collect,
        lake.read(quality.TABLE).groupBy(*batch).agg(F.max("checked").alias("checked")).collect,
    )
    by_batch = {(table, run_id): n for table, run_id, n in checked}
    rules: defaultdict[tuple[str, str], list[tuple[int, str]]] = defaultdict(list)
    for table, run_id, rule, n in waiting:
        rules[table, run_id].append((n, rule))
    refusals = [
        Refusal(table, run_id, sum(n for n, _ in broken), by_batch[table, run_id], max(broken)[1], max(broken)[0])
        for (table, run_id), broken in rules.items()
        if (table, run_id) in by_batch
    ]
    return [refusal for refusal in refusals if refusal.checked >= MIN_JUDGED or refusal.waiting >= MIN_REFUSED]
