"""Silver made anew: the tables as this code makes them of bronze, where older code has left other ones.

What the tables hold already is not written again.
"""

from pyspark.sql import DataFrame

from medallion import contents, few, quarantine
from medallion.few import Keys
from medallion.judging import Judging
from medallion.lake import Lake
from medallion.progress import Progress
from medallion.quarantine import QUARANTINE
from medallion.records import HISTORY, all_claim_rows, current_policies, history_rows, record_rows
from medallion.run import Run
from medallion.schemas import CLAIMS, CUSTOMERS, PETS, POLICIES, VET_PROVIDERS, Entity


class Anew:
    """Makes every table of silver for one run."""

    def __init__(self, run: Run, lake: Lake, progress: Progress) -> None:
        self._run = run
        self._lake = lake
        self._progress = progress
        self._judging = Judging(run, lake)

    def make(self) -> None:
        rejected = [self._records(CUSTOMERS), self._records(PETS), self._policies(), self._records(VET_PROVIDERS)]
        judged = self._judging.judged(CLAIMS, self._held_or_chosen())
        self._replace("silver.claims", all_claim_rows(self._run, self._lake, judged), CLAIMS.key)
        quarantine.replace(self._run, self._lake, [*rejected, self._judging.rejected(CLAIMS, judged)])
        self._progress.did(QUARANTINE)

    def _records(self, entity: Entity) -> DataFrame:
        """Make the table; answers the rows for quarantine."""
        judged = self._judging.judged(entity, None)
        self._replace(f"silver.{entity.table}", record_rows(self._run, entity, judged), entity.key)
        return self._judging.rejected(entity, judged)

    def _policies(self) -> DataFrame:
        judged = self._judging.judged(POLICIES, None)
        self._replace(HISTORY, history_rows(self._run, judged), POLICIES.key, "valid_from")
        self._replace("silver.policies", current_policies(self._run, self._lake), POLICIES.key)
        return self._judging.rejected(POLICIES, judged)

    def _replace(self, table: str, rows: DataFrame, *keys: str) -> None:
        contents.replace(self._lake, table, rows, keys)
        self._progress.did(table)

    def _held_or_chosen(self) -> Keys | None:
        """None for all claims; a run for chosen ones makes only these anew, and those that the tables hold."""
        if self._run.claim_ids is None:
            return None
        keys = few.column(self._run, "_key", self._run.claim_ids)
        if self._lake.exists("silver.claims"):
            keys = keys.unionAll(self._lake.read("silver.claims").select("claim_id"))
        if self._lake.exists(QUARANTINE):
            refused = self._lake.read(QUARANTINE).where("table_name = 'claims'")
            keys = keys.unionAll(refused.select("key"))
        return Keys.of(self._run, keys, "_key")
