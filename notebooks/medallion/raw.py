"""Reading landed files as raw rows: every value as text, with the file, the line and the hashes it came with.

One read serves content and hash, so a row can never carry the hash of another content. CSV is split here and not by
Spark's reader: that one fails a whole run for one short row on some engines, and cannot tell the file of a row.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from medallion.encodings import BYTE_ORDER_MARK, NO_TEXT, decoded, is_utf, text_of
from medallion.landing import LandedFile
from medallion.schemas import LINEAGE, Entity

FOLDER_READ_FROM = 16
"""From so many files on, naming their folder is cheaper than naming each file."""

_CSV_RECORD = r'([^"\n]*(?:"(?:[^"]*"|[^\n]*)[^"\n]*)*)\n'
_CSV_VALUE = r',("[^"]*(?:""[^"]*)*"|[^,]*)'


def contents(spark: SparkSession, root: str, files: Sequence[LandedFile], siblings: Iterable[LandedFile]) -> DataFrame:
    """(_source_file, _file_hash, _landed_at, text, _is_utf) of each file; `encodings.decoded` reads the text.

    `siblings` are all files of the landing zone.
    """
    by_depth: defaultdict[int, list[str]] = defaultdict(list)
    for depth, source in _sources(files, siblings):
        by_depth[depth].append(f"{root}/{source}")
    parts = [_read(spark, sources, depth) for depth, sources in sorted(by_depth.items())]
    read = parts[0]
    for part in parts[1:]:
        read = read.unionAll(part)
    listed = spark.createDataFrame([(f.path, f.modified_ms) for f in files], "_source_file string, landed_ms bigint")
    # Sail hands a file that lies on the border of two partitions to both of them (measured on 0.7.2).
    once = read.dropDuplicates(["_source_file"])
    return once.join(F.broadcast(listed), "_source_file").select(
        "_source_file",
        F.sha2("content", 256).alias("_file_hash"),
        F.timestamp_millis("landed_ms").alias("_landed_at"),
        text_of("content").alias("text"),
        is_utf("content").alias("_is_utf"),
    )


def _sources(files: Sequence[LandedFile], siblings: Iterable[LandedFile]) -> list[tuple[int, str]]:
    """(depth below the landing path, folder or file to load). A folder stands for its files when all are wanted.

    Engines differ in whether a folder means its subfolders too, so one that has any is never read as a folder.
    """
    wanted: defaultdict[str, list[LandedFile]] = defaultdict(list)
    for file in files:
        wanted[file.folder].append(file)
    held: defaultdict[str, int] = defaultdict(int)
    for file in siblings:
        held[file.folder] += 1
    sources = []
    for folder, members in wanted.items():
        depth = len(folder.split("/")) + 1
        nested = any(other.startswith(f"{folder}/") for other in held)
        if len(members) >= FOLDER_READ_FROM and len(members) == held[folder] and not nested:
            sources.append((depth, folder))
        else:
            sources.extend((depth, member.path) for member in members)
    return sources


def _read(spark: SparkSession, sources: list[str], depth: int) -> DataFrame:
    """The path below the landing path is the last `depth` parts: the engine may name the root in its own way."""
    parts = F.split("path", "/")
    below = F.array_join(F.slice(parts, -depth, depth), "/")
    return spark.read.format("binaryFile").load(sources).select(below.alias("_source_file"), "content")


def hashes(texts: DataFrame) -> list[tuple[str, str, str]]:
    """(path, content hash, first CSV record) of each file, for the few files where the driver must decide."""
    header = F.regexp_extract(F.concat("text", F.lit("\n")), "^" + _CSV_RECORD, 1)
    rows = texts.select("_source_file", "_file_hash", decoded(header).alias("header")).collect()
    return [(row["_source_file"], row["_file_hash"], row["header"]) for row in rows]


@dataclass(frozen=True, slots=True)
class Stamp:
    """The run that ingests, and when it began."""

    run_id: str
    at: datetime

    def columns(self) -> dict[str, Column]:
        at_ms = int(self.at.timestamp() * 1000)
        return {"_run_id": F.lit(self.run_id), "_ingested_at": F.timestamp_millis(F.lit(at_ms))}


def json_rows(texts: DataFrame, entity: Entity, stamp: Stamp) -> DataFrame:
    """One raw row per JSON line; what is not a JSON object is kept whole in `_corrupt`."""
    lines = texts.select("*", F.posexplode(_json_documents()).alias("_position", "_record"))
    lines = lines.withColumn("_record", F.trim(decoded(_without_return("_record")))).where("_record <> ''")
    lines = lines.withColumn("_content_hash", F.sha2("_record", 256))
    lines = lines.withColumn("_value", F.when(_is_one_value(), F.col("_record")))
    keys = F.json_object_keys("_value")
    unknown = F.filter(keys, lambda key: ~key.isin(*entity.columns))
    # Parsed a second time only where there is something to rescue: null in, null out.
    drifted = F.from_json(F.when(F.size(unknown) > 0, F.col("_value")), "map<string,string>")
    parsed = F.from_json("_value", ", ".join(f"{column} string" for column in entity.columns))
    rows = lines.withColumns(
        {
            "_parsed": parsed,
            "_drifted": drifted,
            "_rescued": F.to_json(F.map_filter(drifted, lambda key, _: ~key.isin(*entity.columns))),
            "_line": (F.col("_position") + 1).cast("int"),
        }
    )
    rows = rows.withColumn("_corrupt", F.when(_is_lost(keys, unknown, entity), F.col("_record")))
    return rows.select(*[F.col("_parsed")[c].alias(c) for c in entity.columns], *_lineage(stamp))


def _is_lost(keys: Column, unknown: Column, entity: Entity) -> Column:
    """Whether the columns do not keep a record."""
    says_nothing = F.coalesce(*[F.col("_parsed")[name] for name in entity.columns]).isNull()
    return (
        keys.isNull()
        | (says_nothing & (F.size(keys) > F.size(unknown)))
        | (F.col("_drifted").isNull() & (F.size(unknown) > 0))
    )


def _is_one_value() -> Column:
    """Whether a record is one JSON value with nothing after it, where a parser that has read one may look no further.

    A list of the record and its hash ends with the hash then, and only then: no record can hold its own hash.
    """
    listed = F.concat(F.lit("["), "_record", F.lit(',"'), "_content_hash", F.lit('"]'))
    ends_with_mark = F.get_json_object(listed, "$[1]").eqNullSafe(F.col("_content_hash"))
    ends_with_its_only_brace = F.instr("_record", "}") == F.length("_record")
    return F.when(ends_with_its_only_brace, True).otherwise(ends_with_mark)


def _json_documents() -> Column:
    """Lines; a `.json` file with one document over several lines is one record."""
    is_document = F.col("_source_file").endswith(".json") & ~F.trim("text").contains("\n{")
    return F.when(is_document, F.array("text")).otherwise(F.split("text", "\n"))


def csv_rows(texts: DataFrame, entity: Entity, headers: dict[str, str], stamp: Stamp) -> DataFrame | None:
    """One raw row per CSV record. `headers` gives each file's first record; None when no file has one."""
    by_header: defaultdict[str, list[str]] = defaultdict(list)
    for path, header in headers.items():
        if header.strip():
            by_header[header].append(path)
    parts = [_csv_part(texts, entity, header, paths, stamp) for header, paths in sorted(by_header.items())]
    rows = None
    for part in parts:
        rows = part if rows is None else rows.unionByName(part)
    return rows


def _csv_part(texts: DataFrame, entity: Entity, header: str, paths: list[str], stamp: Stamp) -> DataFrame:
    names = csv_names(header)
    records = F.regexp_extract_all(F.concat("text", F.lit("\n")), F.lit(_CSV_RECORD), F.lit(1))
    rows = texts.where(F.col("_source_file").isin(paths)).select(
        "*", F.posexplode(records).alias("_position", "_record")
    )
    rows = rows.withColumn("_record", decoded(_without_return("_record")))
    rows = rows.where("_position > 0 AND trim(_record) <> ''")
    values = F.regexp_extract_all(F.concat(F.lit(","), "_record"), F.lit(_CSV_VALUE), F.lit(1))
    rows = rows.withColumn("_values", F.transform(values, _unquoted))
    unknown = [name for name in names if name not in entity.columns]
    return rows.select(
        *[_csv_value(names.index(c)).alias(c) if c in names else _no_text().alias(c) for c in entity.columns],
        F.when((F.size("_values") != len(names)) | F.lit(NO_TEXT in header), F.col("_record")).alias("_corrupt"),
        (_csv_rescue(names, unknown) if unknown else _no_text()).alias("_rescued"),
        F.sha2("_record", 256).alias("_content_hash"),
        (F.col("_position") + 1).cast("int").alias("_line"),
        "_source_file",
        "_file_hash",
        "_landed_at",
    ).select(*entity.columns, *_lineage(stamp))


def csv_names(header: str) -> list[str]:
    """Column names of a header record, lower case, without quotes; a name that comes again, or none, gets its place."""
    names: list[str] = []
    for place, word in enumerate(header.strip().lstrip(BYTE_ORDER_MARK).split(","), start=1):
        name = word.strip().strip('"').strip().lower()
        names.append(f"{name or 'column'}_{place}" if not name or name in names else name)
    return names


def _unquoted(value: Column) -> Column:
    quoted = F.regexp_replace(F.regexp_replace(value, '^"|"$', ""), '""', '"')
    return F.when(value.startswith('"'), quoted).otherwise(value)


def _csv_value(index: int) -> Column:
    return F.get("_values", F.lit(index))


def _csv_rescue(names: list[str], unknown: list[str]) -> Column:
    return F.to_json(F.struct(*[_csv_value(names.index(name)).alias(name) for name in unknown]))


def _lineage(stamp: Stamp) -> list[Column]:
    stamps = stamp.columns()
    return [stamps.get(name, F.col(name)).alias(name) for name in LINEAGE]


def _without_return(column: str) -> Column:
    return F.regexp_replace(column, "\r$", "")


def _no_text() -> Column:
    return F.lit(None).cast("string")
