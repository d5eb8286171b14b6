"""The pipeline's work written by hand in DuckDB: what a good engineer would do for one full load on one machine.

It reads the same landing files, keeps the same raw rows with their hashes, judges by the same rules, applies the same
policy terms and writes the same bronze, silver and gold tables as Delta Lake tables (Parquet by DuckDB, the log by
delta-rs). It knows neither increments nor kills nor late files: it is the price of the work without those promises.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable
from pathlib import Path

import duckdb
from deltalake import convert_to_deltalake

from benchmarks import duckdb_gold, duckdb_silver
from medallion.schemas import CLAIMS, DIMENSIONS, ENTITIES, Entity


def run(landing: Path, lake: Path, as_of: str) -> dict[str, float]:
    """Seconds by layer. `lake` gets `tables/<schema>/<table>`."""
    seconds = {}
    with duckdb.connect() as db:
        db.execute("SET TimeZone = 'UTC'")
        for layer, statements in (
            ("bronze", bronze(landing)),
            ("silver", duckdb_silver.statements(as_of)),
            ("gold", duckdb_gold.statements(as_of)),
        ):
            began = time.perf_counter()
            for name, select in statements:
                make(db, lake, layer, name, select)
            seconds[layer] = time.perf_counter() - began
    return seconds


def make(db: duckdb.DuckDBPyConnection, lake: Path, layer: str, name: str, select: str) -> None:
    """A temporary view when the name begins with `_`, else a Delta table that later statements read as `layer_name`."""
    if name.startswith("_"):
        db.execute(f"CREATE TEMP TABLE {name} AS {select}")
        return
    folder = lake / "tables" / layer / name
    folder.mkdir(parents=True)
    db.execute(f"COPY ({select}) TO '{folder}/part-0.parquet' (FORMAT parquet)")
    convert_to_deltalake(str(folder))
    db.execute(f"CREATE TEMP VIEW {layer}_{name} AS SELECT * FROM read_parquet('{folder}/part-0.parquet')")


def bronze(landing: Path) -> Iterable[tuple[str, str]]:
    """Every row as text with where it came from and its hashes."""
    for entity in DIMENSIONS:
        yield entity.table, _csv(entity, landing / entity.table / f"{entity.table}.csv")
    yield "claims", _json(CLAIMS, f"{landing}/claims/*.jsonl")
    parts = [
        f"SELECT _source_file AS path, _file_hash AS content_hash, '{entity.table}' AS table_name, count(*) AS rows, "
        f"'run-1' AS _run_id FROM bronze_{entity.table} GROUP BY ALL"
        for entity in ENTITIES
    ]
    yield "manifest", " UNION ALL ".join(parts)


def _csv(entity: Entity, path: Path) -> str:
    columns = ", ".join(entity.columns)
    return f"""
        SELECT {columns}, sha256(concat_ws(',', {columns})) AS _content_hash, '{path.name}' AS _source_file,
          (SELECT sha256(content) FROM read_text('{path}')) AS _file_hash, row_number() OVER () AS _line,
          (SELECT last_modified FROM read_text('{path}')) AS _landed_at, NULL::VARCHAR AS _corrupt,
          NULL::VARCHAR AS _rescued, 'run-1' AS _run_id
        FROM read_csv('{path}', all_varchar = true, header = true)"""


def _json(entity: Entity, paths: str) -> str:
    shape = ", ".join(f'"{column}": "VARCHAR"' for column in entity.columns)
    names = ", ".join(f"'{column}'" for column in entity.columns)
    return f"""
        WITH files AS (
          SELECT filename, sha256(content) AS _file_hash, last_modified AS _landed_at,
            string_split(content, chr(10)) AS records FROM read_text('{paths}')
        ), lines AS (
          SELECT * EXCLUDE (records), unnest(records) AS _record, generate_subscripts(records, 1) AS _line FROM files
        ), parsed AS (
          SELECT *, from_json(CASE WHEN json_valid(_record) THEN _record END, '{{{shape}}}') AS _row,
            list_filter(json_keys(CASE WHEN json_valid(_record) THEN _record END), lambda key: key NOT IN ({names})) AS _unknown
          FROM lines WHERE trim(_record) <> ''
        )
        SELECT {", ".join(f"_row.{column} AS {column}" for column in entity.columns)}, sha256(_record) AS _content_hash,
          parse_filename(filename) AS _source_file, _file_hash, _line, _landed_at,
          CASE WHEN NOT json_valid(_record) THEN _record END AS _corrupt,
          CASE WHEN len(_unknown) > 0 THEN _record END AS _rescued, 'run-1' AS _run_id
        FROM parsed"""


if __name__ == "__main__":
    print(json.dumps(run(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])))
