"""Which raw rows silver judges in this run, and what it finds of those it refuses."""

from pyspark.sql import DataFrame

from medallion import landed, pending
from medallion.conform import Judged
from medallion.few import Keys
from medallion.judging import Judging
from medallion.lake import Lake
from medallion.landed import Landed
from medallion.quarantine import QUARANTINE, Verdicts
from medallion.records import HISTORY
from medallion.run import Run
from medallion.schemas import POLICIES, Entity
from medallion.standing import Standing


class Review:
    """Looks at what is pending, table by table, and collects the verdicts."""

    def __init__(self, run: Run, lake: Lake, standing: Standing) -> None:
        self._run = run
        self._lake = lake
        self._standing = standing
        self._judging = Judging(run, lake)
        self.verdicts: list[Verdicts] = []

    def everything(self, entity: Entity, keys: Keys | None = None) -> Judged:
        """All rows of a table that is not there yet, or all of some keys. What is refused `rest` finds."""
        return self._judging.judged(entity, keys)

    def look_ahead(self, entity: Entity) -> None:
        """Find what `everything` needs and what is told by the raw rows alone."""
        self._judging.find_repeated(entity)

    def rest(self, entity: Entity) -> None:
        """After a first write, note what the table has refused: nothing, when it took as many rows as have landed."""
        landed_in = f"bronze.{entity.table}"
        if not self._lake.exists(landed_in):
            return
        if self._lake.read(_held_in(entity)).count() != self._lake.read(landed_in).count():
            self.again(entity)

    def due(self, entity: Entity, *referred_to: str) -> Judged | None:
        """What is pending of a table that is there, judged and noted; None when nothing is."""
        refused = self.refused(entity, *referred_to)
        if refused == "none" and self._standing.is_unchanged(f"bronze.{entity.table}"):
            return None
        return self.again(entity, refused)

    def again(self, entity: Entity, refused: pending.Refused = "all") -> Judged | None:
        """Judge what is pending and note what the table refuses; None when nothing is pending.

        Pending are also the newest versions that silver does not hold because they are bad.
        """
        new = self.new(entity)
        rows = new.rows if new else None
        every_version = entity is POLICIES
        found = pending.keys_to_judge(self._run, self._lake, entity, rows, every_version=every_version, refused=refused)
        keys = Keys.of(self._run, found, "_key")
        return self.of_keys(entity, keys, new) if keys else None

    def of_keys(self, entity: Entity, keys: Keys, new: Landed | None) -> Judged:
        """Judge all rows of the keys in `_key`, and note what the table refuses."""
        judged = self._judging.judged(entity, keys, new)
        self._note(entity, keys.rows, judged)
        return judged

    def note(self, entity: Entity, judged: Judged) -> None:
        """Note what the table refuses of `everything`."""
        self._note(entity, judged.rows.select("_key"), judged)

    def _note(self, entity: Entity, keys: DataFrame, judged: Judged) -> None:
        self.verdicts.append(Verdicts(entity.table, keys, self._judging.rejected(entity, judged)))

    def refused(self, entity: Entity, *referred_to: str) -> pending.Refused:
        """Which refused rows to judge again: those that what they refer to, or a later day, may let pass.

        After a run that died all: it may have healed some, and not come to say so.
        """
        days = self._standing.days_since
        if days is None or days < 0:
            return "all"
        if not self._standing.is_unchanged(_held_in(entity), *referred_to, QUARANTINE):
            return "all"
        return "dated" if days else "none"

    def new(self, entity: Entity) -> Landed | None:
        """The raw rows that have landed since the last run, where its tables are still what that run has left."""
        if not self._standing.is_unchanged(_held_in(entity), QUARANTINE):
            return None
        return landed.since_last_run(self._run, self._lake, self._standing, entity)


def _held_in(entity: Entity) -> str:
    """The table of silver that tells which versions of its rows are held."""
    return HISTORY if entity is POLICIES else f"silver.{entity.table}"
