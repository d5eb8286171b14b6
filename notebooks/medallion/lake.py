"""Tables of the lakehouse: reading them, and the three ways of writing that a repeat or a kill cannot spoil."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.pandas.types import from_arrow_schema
from pyspark.sql.types import StructType

from medallion import few
from medallion.parallel import at_once
from medallion.result import TableResult
from medallion.run import Commit, Run

STAMPS = ("as_of", "_run_id")
"""What a row of a figure says about the run that last changed it; never part of its hash."""
PARTITIONS = {"silver.claims": "table_part", "gold.claims_analytics": "table_part"}
"""The large tables' partitions: a change of few claims rewrites the quarters it touches, not the book. The last
columns, where Sail writes them whatever their place."""
WHOLE = "whole"
SMALL_BOOK = 20_000
"""Up to so many claims lie in one part, `whole`: all of them are no more than three months of a large book, and each
part costs every plan and every write."""
ADDITIONS = 17
"""New claims are added to a large table as files of their own; each so many versions the quarters they fall into are
written anew, so that small files do not pile up. A prime: no rhythm of additions and corrections always misses it."""


@dataclass(frozen=True, slots=True)
class Changes:
    """Which few rows changed from one commit to another: their keys (the first column, where a key has several), and
    the partitions in which they are now."""

    since: Commit
    to: Commit
    keys: frozenset[str]
    partitions: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Merged:
    """One commit of few rows: their keys and the partitions they are in, and the partitions that it wrote."""

    rows: pa.Table
    written: frozenset[str]


class Lake:
    """The tables of one catalog during one run. Every write is one Delta commit: old or new, never half."""

    def __init__(self, run: Run, schemas: Mapping[str, StructType] | None = None, *, book: str | None = None) -> None:
        """`schemas` declares tables, their columns in the order in which they are written; `book` is a table of claims
        that tells how many there are."""
        self._run = run
        self._book = book
        self._schemas = schemas or {}
        self._names: dict[str, set[str] | None] = {}
        self._touched: set[str] = set()
        self._counted: set[str] = set()
        self._commits: dict[str, Commit] = {}
        self._columns: dict[str, list[str]] = {}
        self._before: dict[str, Commit] = {}
        self._merged: dict[str, list[_Merged] | None] = {}
        self.results: dict[str, TableResult] = {}

    @property
    def spark(self) -> SparkSession:
        return self._run.spark

    def full_name(self, table: str) -> str:
        return f"{self._run.catalog}.{table}"

    def ensure_schema(self, schema: str) -> None:
        if self._names_in(schema) is None:
            self._run.spark.sql(f"CREATE SCHEMA IF NOT EXISTS {self._run.catalog}.{schema}")
            self._names[schema] = set()

    def exists(self, table: str) -> bool:
        """Whether the table `schema.name` is there; one question per schema and run."""
        schema, name = table.split(".")
        return name in (self._names_in(schema) or ())

    def _names_in(self, schema: str) -> set[str] | None:
        """The tables of a schema; None when it is not there."""
        if schema not in self._names:
            name, spark = f"{self._run.catalog}.{schema}", self._run.spark
            there = spark.catalog.databaseExists(name)
            rows = spark.sql(f"SHOW TABLES IN {name}").collect() if there else []
            self._names[schema] = {row["tableName"] for row in rows} if there else None
        return self._names[schema]

    def read(self, table: str) -> DataFrame:
        return self._run.spark.table(self.full_name(table))

    def read_version(self, table: str, version: int) -> DataFrame:
        """The table as it was at a version; the engine's error when that is not kept any more."""
        return self._run.spark.sql(f"SELECT * FROM {self.full_name(table)} VERSION AS OF {version}")

    @cached_property
    def is_small_book(self) -> bool:
        """Whether the claims lie in one part, in this run; a layer whose book has outgrown that is made anew."""
        if self._book is None:
            raise ValueError("this lake was not told which table tells the size of the book")
        return not self.exists(self._book) or self.read(self._book).count() <= SMALL_BOOK

    def part_of(self, day: str) -> Column:
        """The partition of a claim by the day of its service: the quarter, 'YYYY-Qn', or WHOLE in a small book; null
        without a day."""
        quarter = F.concat_ws("-Q", F.year(day).cast("string"), F.quarter(day).cast("string"))
        return F.when(F.col(day).isNotNull(), F.lit(WHOLE) if self.is_small_book else quarter)

    def track(self, tables: Sequence[str]) -> None:
        """Note the versions that the tables of this layer have before anything is written."""
        self._before = self.commits(tables)
        for table in tables:
            result = TableResult(self.full_name(table))
            if table in self._before:
                result.version_before = result.version_after = self._before[table].version
            self.results[table] = result

    def commit(self, table: str) -> Commit:
        """The newest commit of a table; asked again only after this run wrote it."""
        if table not in self._commits:
            self._commits[table] = self._run.last_commit(self.full_name(table))
        return self._commits[table]

    def commits(self, tables: Iterable[str]) -> dict[str, Commit]:
        """The newest commit of each of the tables that is there, asked for at once."""
        present = [table for table in tables if self.exists(table)]
        at_once([partial(self.commit, table) for table in present])
        return {table: self.commit(table) for table in present}

    def changes(self, table: str) -> Changes | None:
        """What this run has changed in a tracked table; None when it is not known, or others have written as well."""
        before, merged = self._before.get(table), self._merged.get(table, [])
        if before is None or merged is None:
            return None
        after = self.commit(table)
        if after.version != before.version + len(merged):
            return None
        keys, partitions = ({text for each in merged for text in each.rows[place].to_pylist()} for place in (0, -1))
        return Changes(before, after, frozenset(keys), frozenset(partitions) if table in PARTITIONS else frozenset())

    def written_since(self, table: str, commit: Commit) -> frozenset[str] | None:
        """The partitions that this run has written of a tracked table, where that is all that happened since `commit`;
        None when it is not, or not known."""
        changes = self.changes(table)
        if changes is None or changes.since != commit:
            return None
        return frozenset().union(*(each.written for each in self._merged.get(table) or ()))

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

    def overwrite(self, table: str, rows: DataFrame) -> None:
        """Make the table of these rows, with their columns."""
        self._write(table, rows, "overwrite")

    def _write(self, table: str, rows: DataFrame, mode: str) -> None:
        evolution = "mergeSchema" if mode == "append" else "overwriteSchema"
        if table in self._schemas and (mode == "overwrite" or not self.exists(table)):
            rows = rows.unionByName(self._run.spark.createDataFrame([], self._schemas[table]))
        writer = rows.write.format("delta").mode(mode).option(evolution, "true")
        if table in PARTITIONS and (mode == "overwrite" or not self.exists(table)):
            writer = writer.partitionBy(PARTITIONS[table])
        writer.saveAsTable(self.full_name(table))
        schema, name = table.split(".")
        names = self._names.get(schema)
        if names is None:
            names = self._names[schema] = set()
        names.add(name)
        self._wrote(table, None)

    def _wrote(self, table: str, few_rows: _Merged | None) -> None:
        """Note a commit, and what it has changed where that are few rows."""
        merged = self._merged.get(table, [])
        self._merged[table] = None if merged is None or few_rows is None else [*merged, few_rows]
        self._touched.add(table)
        self._counted.discard(table)
        self._commits.pop(table, None)
        self._columns.pop(table, None)

    def merge(
        self,
        table: str,
        source: DataFrame,
        keys: Sequence[str],
        *,
        gone: str | None = None,
        held_in: frozenset[str] | None = None,
    ) -> None:
        """Upsert by key; rows of `source` whose flag `gone` is true are deleted. `source` has one row per key.

        Without a row in `source` there is no commit. `held_in` has to name all partitions that hold a key of `source`
        now: where it names none, rows are only added. The table is asked when it is not given.
        """
        if not self.exists(table):
            self.append(table, source.where(~F.col(gone)).drop(gone) if gone else source)
            return
        rows = few.as_arrow(source)
        if rows is None:
            self._merge_many(table, source, keys, gone)
            self._wrote(table, None)
        else:
            self.merge_few(table, rows, keys, gone=gone, held_in=held_in)

    def merge_few(
        self,
        table: str,
        rows: pa.Table,
        keys: Sequence[str],
        *,
        gone: str | None = None,
        held_in: frozenset[str] | None = None,
    ) -> None:
        """The same with few rows that are at hand, for a table that is there."""
        if rows.num_rows:
            written = self._change(table, rows, keys, gone, held_in)
            self._wrote(table, _Merged(rows.select([keys[0], PARTITIONS.get(table, keys[0])]), written))

    def _change(
        self, table: str, rows: pa.Table, keys: Sequence[str], gone: str | None, held_in: frozenset[str] | None
    ) -> frozenset[str]:
        """Few rows, in one commit: what they touch of the table, partitions or all of it, is written anew with them.
        Answers these partitions.

        That reads it once. A MERGE, which writes the same files where it has to copy rows, reads it three times. A
        large table that holds none of the keys only gets new files, and is written anew now and then.
        """
        held, of_keys = self.read(table), self._run.spark.createDataFrame(rows.select(list(keys)))
        columns = held.schema
        fresh = self._in_columns(rows.filter(pc.invert(rows.column(gone))) if gone else rows, columns)
        touched, places = F.lit(True), set()
        if table in PARTITIONS:
            column = PARTITIONS[table]
            places = set(rows.column(column).to_pylist())
            if held_in is None:
                same = held.join(of_keys, list(keys), "left_semi")
                held_in = frozenset(row[0] for row in same.select(column).distinct().collect())
            if not held_in and (self.commit(table).version + 1) % ADDITIONS:
                fresh.coalesce(1).write.format("delta").mode("append").saveAsTable(self.full_name(table))
                return frozenset(places)
            places |= held_in
            touched = F.col(column).isin(sorted(places))
        rest = held.where(touched).join(of_keys, list(keys), "left_anti")
        rest.select(*columns.names).unionAll(fresh).writeTo(self.full_name(table)).overwrite(touched)
        return frozenset(places)

    def _in_columns(self, rows: pa.Table, columns: StructType) -> DataFrame:
        """Few rows with just these columns. What is of its type already is not cast: each cast costs the plan."""
        own = from_arrow_schema(rows.schema)
        there = [name for name in columns.names if name in own.names]
        fits = {name for name in there if own[name].dataType == columns[name].dataType}
        frame = few.frame(self._run, rows.select(there))
        if len(fits) == len(columns):
            return frame
        made = {name: F.col(name) if name in there else F.lit(None) for name in columns.names}
        return frame.select(
            *[made[name] if name in fits else made[name].cast(columns[name].dataType).alias(name) for name in made]
        )

    def _merge_many(self, table: str, source: DataFrame, keys: Sequence[str], gone: str | None) -> None:
        view = f"merge_{table.replace('.', '_')}"
        source.createOrReplaceTempView(view)
        columns = [c for c in source.columns if c != gone]
        self._run.spark.sql(self._merge_statement(table, view, columns, keys, gone))

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

    def finish(self, tables: Collection[str] | None = None) -> list[TableResult]:
        """Fill in versions, row counts and the rows that this run wrote, of all tracked tables or some of them.

        What was not written since is not counted again; an untouched table costs only its log.
        """
        wanted = [table for table in (self.results if tables is None else tables) if table not in self._counted]
        present = [table for table in wanted if self.exists(table)]
        for table, commit in self.commits(self._touched & set(present)).items():
            self.results[table].version_after = commit.version
        if present:
            for row in self._run.spark.sql(" UNION ALL ".join(map(self._count_statement, present))).collect():
                self.results[row["name"]].rows = int(row["n"])
                self.results[row["name"]].rows_out = int(row["mine"])
            self._counted.update(present)
        return list(self.results.values())

    def _count_statement(self, table: str) -> str:
        mine = f"count_if(_run_id = '{self._run.batch_id}')" if table in self._touched else "0"
        return f"SELECT '{table}' AS name, count(*) AS n, {mine} AS mine FROM {self.full_name(table)}"
