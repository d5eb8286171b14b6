"""SQL statements that the engine lacks, or that the workspace's catalog has to hear of.

A statement is recognised by its first words only; everything else goes to the engine untouched.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pyspark.errors import AnalysisException

from local_workspace.engine import catalog_statements, delta_statements, describe_statements, table_statements
from local_workspace.engine.arrow_results import AtHand
from local_workspace.engine.catalog import CatalogError
from local_workspace.engine.names import Cursor, Namespace, TableName, quoted
from local_workspace.engine.sql_text import parameter_names

if TYPE_CHECKING:
    from pyspark.sql.types import StructType

    from local_workspace.engine.session import Engine

NESTED_VIEW = "__describe_history_"

Handler = Callable[["Call"], Any]
_NESTED_HISTORY = re.compile(r"\(\s*DESC(?:RIBE)?\s+HISTORY\s", re.IGNORECASE)
_REFUSED = {
    ("COPY", "INTO"): "read the files with spark.read and write them with df.write.saveAsTable",
    ("DECLARE",): "use a Python variable and pass it as args= of spark.sql",
    ("GRANT",): "the local workspace has one user, who may do everything",
    ("REVOKE",): "the local workspace has one user, who may do everything",
    ("MSCK",): "a Delta table knows its partitions; drop the statement",
    ("FSCK",): "restore an earlier version with RESTORE TABLE",
    ("CONVERT", "TO", "DELTA"): "read the Parquet files and write them with df.write.format('delta')",
}


class Call:
    """One statement while it is answered: where it stands, what it may ask, how it answers."""

    def __init__(self, engine: Engine, sql: str, arguments: dict[str, Any]) -> None:
        self.engine = engine
        self.catalog = engine.catalog
        self.arguments = arguments
        self.cursor = Cursor(sql, arguments)

    @property
    def sql(self) -> str:
        return self.cursor.sql

    def namespace(self) -> Namespace:
        return Namespace(*self.engine.namespace())

    def table_name(self) -> TableName:
        """The name that stands at the cursor, completed."""
        parts = self.cursor.name()
        return self.complete(parts)

    def complete(self, parts: list[str]) -> TableName:
        known = Namespace("", "") if len(parts) == 3 else self.namespace()
        return known.table(parts)

    def schema_name(self) -> tuple[str, str]:
        parts = self.cursor.name()
        known = Namespace("", "") if len(parts) == 2 else self.namespace()
        return known.schema_of(parts)

    def native(self) -> Any:
        """Let the engine execute the whole statement."""
        return self.engine_sql(self.sql)

    def engine_sql(self, statement: str) -> Any:
        return self.engine.session.engine_sql(statement, self.arguments or None)

    def query(self, text: str) -> Any:
        """The DataFrame of a query inside of the statement, with those of the statement's parameters that it uses."""
        used = {name: self.arguments[name] for name in parameter_names(text) if name in self.arguments}
        return self.engine.session.sql(text, used or None)

    def frame(self, rows: list[Any], schema: str | StructType) -> Any:
        return AtHand.of(self.engine.session.createDataFrame(rows, schema))

    def nothing(self) -> Any:
        """The answer of a command that has none."""
        return self.engine.session.createDataFrame([], "result string").drop("result")

    def refuse(self, what: str, way_out: str) -> AnalysisException:
        return AnalysisException(f"{what} is not supported by the local workspace: {way_out}.")


class Statements:
    """Answers statements for one engine session."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._handlers: dict[tuple[str, ...], Handler] = {
            **catalog_statements.HANDLERS,
            **table_statements.HANDLERS,
            **delta_statements.HANDLERS,
            **describe_statements.HANDLERS,
        }
        self._first_words = {words[0] for words in (*self._handlers, *_REFUSED)}
        self._longest = max(len(words) for words in self._handlers)
        self._views = 0

    def answer(self, sql: str, arguments: Any) -> Any | None:
        """The statement's DataFrame, or None when it is the engine's own business.

        Raises: AnalysisException with the catalog's reason or with the way out.
        """
        named = arguments if isinstance(arguments, dict) else {}
        if _NESTED_HISTORY.search(sql):
            rewritten = self._with_nested_answers(sql)
            return None if rewritten == sql else self._engine.session.sql(rewritten, arguments)
        words = self._head(sql)
        if not words or words[0] not in self._first_words:
            return None
        for refused, way_out in _REFUSED.items():
            if words[: len(refused)] == refused:
                raise AnalysisException(f"{' '.join(refused)} is not supported by the local workspace: {way_out}.")
        return self._dispatch(words, Call(self._engine, sql, named))

    def _dispatch(self, words: tuple[str, ...], call: Call) -> Any | None:
        for length in range(self._longest, 0, -1):
            handler = self._handlers.get(words[:length]) if length <= len(words) else None
            if handler is None:
                continue
            call.cursor.position = length
            try:
                return handler(call)
            except CatalogError as fault:
                raise AnalysisException(f"[{fault.error_code}] {fault}") from fault
        return None

    def _head(self, sql: str) -> tuple[str, ...]:
        found = Cursor(sql[:2000]).tokens
        return tuple(token.upper for token in found[: self._longest])

    def _with_nested_answers(self, sql: str) -> str:
        """`(DESCRIBE HISTORY t)` in a FROM clause becomes a temporary view with the answer."""
        found = Cursor(sql).tokens
        for index, token in enumerate(found[:-2]):
            if (
                token.text == "("
                and found[index + 1].upper in ("DESCRIBE", "DESC")
                and found[index + 2].upper == "HISTORY"
            ):
                inner = Cursor(sql[token.start :])
                statement = inner.parenthesised() or ""
                end = token.start + inner.tokens[inner.position - 1].end
                self._views += 1
                view = f"{NESTED_VIEW}{self._views}"
                self._engine.session.sql(statement).createOrReplaceTempView(view)
                return self._with_nested_answers(f"{sql[: token.start]} {quoted(view)} {sql[end:]}")
        return sql
