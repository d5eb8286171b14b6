"""Tables of the lakehouse: reading them, and the three ways of writing that a repeat or a kill cannot spoil."""

from collections.abc import Iterable, Sequence
from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from medallion.result import TableResult
from medallion.run import Commit, Run

STAMPS = ("as_of", "_run_id")
"""What a row of a figure says about the run that last changed it; never part of its hash."""
FEW_ROWS = 20_000


class Lake:
    """The tables of one catalog during one run. Every write is one Delta commit: old or new, never half."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._names: dict[str, set[str]] = {}
        self._touched: set[str] = set()
        self._commits: dict[str, Commit] = {}
        self._columns: dict[str, list[str]] = {}
        self.results: dict[str, TableResult] = {}

    def full_name(self, table: str) -> str:
        return f"{self._run.catalog}.{table}"

    def ensure_schema(self, schema: str) -> None:
        name = f"{self._run.catalog}.{schema}"
        if not self._run.spark.catalog.databaseExists(name):
            self._run.spark.sql(f"CREATE SCHEMA IF NOT EXISTS {name}")

    def exists(self, table: str) -> bool:
        """Whether the table `schema.name` is there; one question per schema and run."""
        schema, name = table.split(".")
        if schema not in self._names:
            self._names[schema] = self._list(f"{self._run.catalog}.{schema}")
        return name in self._names[schema]

    def _list(self, schema: str) -> set[str]:
        if not self._run.spark.catalog.databaseExists(schema):
            return set()
        return {row["tableName"] for row in self._run.spark.sql(f"SHOW TABLES IN {schema}").collect()}

    def read(self, table: str) -> DataFrame:
        return self._run.spark.table(self.full_name(table))

    def track(self, tables: Iterable[str]) -> None:
        """Note the versions that the tables of this layer have before anything is written."""
        for table in tables:
            result = TableResult(self.full_name(table))
            if self.exists(table):
                result.version_before = result.version_after = self.commit(table).version
            self.results[table] = result

    def commit(self, table: str) -> Commit:
        """The newest commit of a table; asked again only after this run wrote it."""
        if table not in self._commits:
            self._commits[table] = self._run.last_commit(self.full_name(table))
        return self._commits[table]

    def touched(self, table: str) -> bool:
        """Whether this run wrote the table."""
        return table in self._touched

    def columns(self, table: str) -> list[str]:
        """The columns of a table, which may have been made by older code; asked again only after this run wrote it."""
        if table not in self._columns:
            self._columns[table] = list(self.read(table).columns)
        return self._columns[table]

    def append(self, table: str, rows: DataFrame) -> None:
        """Add rows; makes the table when it is not there, also with no rows. A table of older code gets new columns."""
        self._write(table, rows, "append")

    def _write(self, table: str, rows: DataFrame, mode: str) -> None:
        evolution = "mergeSchema" if mode == "append" else "overwriteSchema"
        rows.write.format("delta").mode(mode).option(evolution, "true").saveAsTable(self.full_name(table))
        schema, name = table.split(".")
        self._names.setdefault(schema, set()).add(name)
        self._wrote(table)

    def _wrote(self, table: str) -> None:
        self._touched.add(table)
        self._commits.pop(table, None)
        self._columns.pop(table, None)

    def merge(self, table: str, source: DataFrame, keys: Sequence[str], *, gone: str | None = None) -> None:
        """Upsert by key; rows of `source` whose flag `gone` is true are deleted. `source` has one row per key.

        Without a row in `source` there is no commit.
        """
        if not self.exists(table):
            self.append(table, source.where(~F.col(gone)).drop(gone) if gone else source)
            return
        rows = self._if_few(source)
        if rows is not None:
            if not rows.num_rows:
                return
            source = self._run.spark.createDataFrame(rows)
        view = f"merge_{table.replace('.', '_')}"
        source.createOrReplaceTempView(view)
        self._run.spark.sql(self._merge_statement(table, view, [c for c in source.columns if c != gone], keys, gone))
        self._wrote(table)

    def _if_few(self, rows: DataFrame) -> Any:
        """The rows as an Arrow table, computed once; None when there are many.

        A MERGE reads its source several times and computes it each time: few rows rather travel through the driver.
        """
        held = rows.limit(FEW_ROWS + 1).toArrow()
        return held if held.num_rows <= FEW_ROWS else None

    def _merge_statement(
        self, table: str, view: str, columns: Sequence[str], keys: Sequence[str], gone: str | None
    ) -> str:
        same = " AND ".join(f"t.{key} = s.{key}" for key in keys)
        assignments = ", ".join(f"t.{column} = s.{column}" for column in columns)
        values = ", ".join(f"s.{column}" for column in columns)
        return (
            f"MERGE INTO {self.full_name(table)} AS t USING {view} AS s ON {same} "
            + (f"WHEN MATCHED AND s.{gone} THEN DELETE " if gone else "")
            + f"WHEN MATCHED THEN UPDATE SET {assignments} "
            + ("WHEN NOT MATCHED " + (f"AND NOT s.{gone} " if gone else ""))
            + f"THEN INSERT ({', '.join(columns)}) VALUES ({values})"
        )

    def sync(self, table: str, wanted: DataFrame, keys: Sequence[str]) -> None:
        """Make the table hold exactly `wanted`; a row whose `_row_hash` is held keeps its stamps; equal: no commit.

        The table is written whole: a figure's plan is too deep to be the source of a MERGE, which reads it repeatedly.
        """
        self._overwrite(table, wanted, keys, F.col("_row_hash"), ("_row_hash", *STAMPS))

    def replace(self, table: str, wanted: DataFrame, keys: Sequence[str]) -> None:
        """The same by all columns: for a table of other code, which may lack columns and hold other rows."""
        facts = [name for name in wanted.columns if name not in STAMPS]
        self._overwrite(table, wanted, keys, F.md5(F.to_json(F.struct(*facts))), wanted.columns)

    def _overwrite(
        self, table: str, wanted: DataFrame, keys: Sequence[str], state: Column, needed: Sequence[str]
    ) -> None:
        if not self.exists(table):
            self.append(table, wanted)
            return
        if not set(needed) <= set(self.columns(table)):
            self._write(table, wanted, "overwrite")
            return
        stamps = [name for name in STAMPS if name in needed]
        held = self._states(table, keys, state, stamps)
        held_rows = self.read(table).count()
        few = self._if_few(wanted) if held_rows <= FEW_ROWS else None
        if few is not None and few.num_rows:
            wanted = self._run.spark.createDataFrame(few)
        both = wanted.withColumn("_state", state).join(held, list(keys), "left")
        same = F.coalesce(F.col("_held_state") == F.col("_state"), F.lit(False))
        rows, kept = both.agg(F.count("*"), F.count_if(same)).collect()[0]
        if rows == kept == held_rows:
            return
        kept_stamps = {name: F.when(same, F.col(f"_held_{name}")).otherwise(F.col(name)) for name in stamps}
        self._write(table, both.withColumns(kept_stamps).select(*wanted.columns), "overwrite")

    def _states(self, table: str, keys: Sequence[str], state: Column, stamps: Sequence[str]) -> DataFrame:
        """One row a key of what the table holds, also where older code left two: `_held_state` and `_held_<stamp>`.

        Each column has an aggregate of its own: one over a struct takes Sail 0.7.2 time that grows with the square of
        the keys.
        """
        held = self.read(table).withColumn("_held_state", state).groupBy(*keys)
        return held.agg(F.min("_held_state").alias("_held_state"), *[F.min(s).alias(f"_held_{s}") for s in stamps])

    def finish(self) -> list[TableResult]:
        """Fill in versions, row counts and the rows that this run wrote. An untouched table costs only its log."""
        for table in self._touched & set(self.results):
            self.results[table].version_after = self.commit(table).version
        present = [table for table in self.results if self.exists(table)]
        if present:
            for row in self._run.spark.sql(" UNION ALL ".join(map(self._count_statement, present))).collect():
                self.results[row["name"]].rows = int(row["n"])
                self.results[row["name"]].rows_out = int(row["mine"])
        return list(self.results.values())

    def _count_statement(self, table: str) -> str:
        mine = f"count_if(_run_id = '{self._run.batch_id}')" if table in self._touched else "0"
        return f"SELECT '{table}' AS name, count(*) AS n, {mine} AS mine FROM {self.full_name(table)}"
