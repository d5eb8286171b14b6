"""Silver's judgement: the raw rows of a table typed, joined with what they refer to, and checked against the rules."""

from functools import partial

from pyspark.sql import DataFrame

from medallion import few, pending
from medallion.conform import Judged, judge, placed, typed
from medallion.few import Keys
from medallion.lake import Lake
from medallion.landed import Landed
from medallion.quarantine import rejected_rows
from medallion.references import with_pet, with_references
from medallion.rules import checked
from medallion.run import Run
from medallion.schemas import CLAIMS, POLICIES, Entity


class Judging:
    """Judges rows of bronze for one run."""

    def __init__(self, run: Run, lake: Lake) -> None:
        self._run = run
        self._lake = lake
        self._repeated: dict[str, Keys | None] = {}

    def find_repeated(self, entity: Entity) -> Keys | None:
        """Keys with several versions among all raw rows; looked for once."""
        if entity.table not in self._repeated:
            self._repeated[entity.table] = pending.repeated(self._run, self._raw(entity, None, None))
        return self._repeated[entity.table]

    def judged(self, entity: Entity, keys: Keys | None, landed: Landed | None = None) -> Judged:
        """All versions of the keys (None: of every key), typed and judged; few are judged once, here and now.

        `landed` are the raw rows that have come since the last run: all of their keys' rows, when these are new.
        """
        raw = self._raw(entity, keys, landed)
        few_keys = keys is not None and keys.few
        evaluate = partial(self._evaluated, entity=entity, few_rows=few_keys)
        if few_keys:
            rows = judge(evaluate, None, placed(raw, several=True)).rows
            return Judged(None, few.computed(self._run, rows))
        several = self.find_repeated(entity) if keys is None else pending.repeated(self._run, raw)
        if several is None:
            return judge(evaluate, placed(raw, several=False), None)
        single = placed(raw.join(several.rows, "_key", "left_anti"), several=False)
        return judge(evaluate, single, placed(raw.join(several.rows, "_key", "left_semi"), several=True))

    def rejected(self, entity: Entity, judged: Judged) -> DataFrame:
        """The rows of quarantine."""
        return rejected_rows(judged.rows, entity.table, self._run.batch_id)

    def _raw(self, entity: Entity, keys: Keys | None, landed: Landed | None) -> DataFrame:
        """The raw rows of the keys (None: of every key) with `_key`."""
        raw = pending.keyed(pending.bronze_rows(self._run, self._lake, entity), entity)
        if keys is None:
            return raw
        if landed is not None and raw.select("_key").join(keys.rows, "_key", "left_semi").count() == landed.count:
            raw = pending.keyed(landed.rows, entity)
        return raw.join(keys.rows, "_key", "left_semi")

    def _evaluated(self, raw: DataFrame, entity: Entity, *, few_rows: bool) -> DataFrame:
        rows = typed(raw, entity)
        if entity is CLAIMS:
            rows = with_references(rows, self._lake, few_rows=few_rows)
        elif entity is POLICIES:
            rows = with_pet(rows, self._lake, few_rows=few_rows)
        return checked(rows, entity.table, self._run.as_of)
