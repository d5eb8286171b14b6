"""A Spark session on the embedded engine that knows the workspace's paths, catalogs and tables.

Loading this module loads pyspark; only worker processes do. `start_engine` is the way in.
"""

from __future__ import annotations

import os
from typing import Any

from pyspark.sql import SparkSession as AnySparkSession
from pyspark.sql.catalog import Column
from pyspark.sql.connect import proto
from pyspark.sql.connect.catalog import Catalog as ConnectCatalog
from pyspark.sql.connect.client import DefaultChannelBuilder, SparkConnectClient
from pyspark.sql.connect.session import SparkSession as ConnectSession

from local_workspace.engine.arrow_results import UNCOMPRESSED, fetch_rows_with_schema
from local_workspace.engine.catalog import Catalog
from local_workspace.engine.names import Cursor, Namespace, TableName, quoted
from local_workspace.engine.nullable_writes import NullableWrites
from local_workspace.engine.one_catalog import NameInterceptor, OneCatalog
from local_workspace.engine.plan_paths import PathInterceptor, PathMapper
from local_workspace.engine.registration import Registrar, engine_catalogs
from local_workspace.engine.remote import expect_reachable, has_delta_in_spark_catalog, served_catalogs
from local_workspace.engine.settings_memory import remember_settings
from local_workspace.engine.shared_registration import SharedRegistrar
from local_workspace.engine.statements import NESTED_VIEW, Statements

_SESSION_CONF = {"spark.sql.sources.default": "delta", "spark.sql.session.timeZone": "UTC"}
# Of the wide columns only the pages are read that have rows which a filter, or the few keys of a join, leave.
_SAIL = {"SAIL_PARQUET__PUSHDOWN_FILTERS": "true"}
# Otherwise pyspark looks for the caller's line, and for IPython, at every call that makes a column. Apache Spark has it
# as a setting of the server and refuses it here.
_EMBEDDED_CONF = {"spark.python.sql.dataFrameDebugging.enabled": "false"}
# The default, which Spark 4.1 writes as "3221225472b" and pyspark-client 4.2 reads as a number.
_SPARK_CONF = {"spark.sql.session.localRelationSizeLimit": "3221225472"}


class WorkspaceTables(ConnectCatalog):  # type: ignore[misc]  # pyspark is untyped here
    """`spark.catalog`, with the columns of tables that the engine was told by location."""

    def listColumns(self, tableName: str, dbName: str | None = None) -> list[Column]:
        name = f"{dbName}.{tableName}" if dbName else tableName
        return [
            Column(
                each.name,
                each.metadata.get("comment"),
                each.dataType.simpleString(),
                each.nullable,
                False,
                False,
                False,
            )
            for each in self._sparkSession.table(name).schema.fields
        ]


class WorkspaceSession(ConnectSession, AnySparkSession):  # type: ignore[misc]  # pyspark is untyped here
    """A Spark Connect session whose `sql` also serves the statements that the engine lacks."""

    _statements: Statements | None = None

    def sql(self, sqlQuery: str, args: Any = None, **kwargs: Any) -> Any:
        """`SparkSession.sql`; statements that the engine lacks are answered from the Delta log or the catalog."""
        if self._statements is not None and not kwargs:
            answered = self._statements.answer(sqlQuery, args)
            if answered is not None:
                return answered
        return super().sql(sqlQuery, args, **kwargs)

    @property
    def catalog(self) -> WorkspaceTables:
        return WorkspaceTables(self)

    def engine_sql(self, statement: str, args: Any = None) -> Any:
        """A statement sent to the engine as it stands."""
        return super().sql(statement, args)


class Engine:
    """The engine of one worker: its server, its session, and what the session was told about the catalog."""

    def __init__(self, catalog: Catalog, spark_remote: str | None = None) -> None:
        self.catalog = catalog
        self.mapper = PathMapper(catalog.storage)
        self._nullable_writes = NullableWrites(catalog.storage, self._schema_of)
        self._remote = spark_remote
        self._servers: list[Any] = []
        self._listed: set[str] = set()
        self._names = OneCatalog(catalog)
        self.session = WorkspaceSession(connection=self._connection())
        ConnectSession._set_default_and_active_session(self.session)
        fetch_rows_with_schema()
        self._registrar = self._new_registrar()
        self._configure()
        self._registrar.sync()
        self.use_defaults()
        self.session._statements = Statements(self)

    def refresh(self) -> None:
        """Tell the session what other workers created and dropped meanwhile."""
        if not self._remote and not self._listed.issuperset(engine_catalogs(self.catalog)):
            self._restart()
        self._registrar.sync()

    def columns_changed(self, name: TableName) -> None:
        """delta-rs changed the columns of a table; the session has to read them again."""
        self._registrar.forget(name)
        self._registrar.sync()

    def keep_named_writes(self) -> None:
        """Put the tables into the catalog that DataFrames were written to at a path of their own."""
        noted, self.mapper.named_writes = self.mapper.named_writes, []
        for text, location in noted:
            if (location / "_delta_log").is_dir():
                parts = Cursor(text).name()
                known = Namespace("", "") if len(parts) == 3 else Namespace(*self.namespace())
                self.catalog.register_table(*known.table(parts), location)

    def use_defaults(self) -> None:
        self.use(self.catalog.default_catalog, "default")

    def use(self, catalog: str, schema: str) -> None:
        """Make unqualified names mean this catalog and schema."""
        if self._names.active:
            self.session.engine_sql(f"USE {self._names.schema(catalog, schema)}")
            self._names.current = catalog
            return
        self.session.engine_sql(f"USE CATALOG {quoted(catalog)}")
        self.session.engine_sql(f"USE DATABASE {quoted(schema)}")

    def namespace(self) -> tuple[str, str]:
        row = self.session.engine_sql("SELECT current_catalog(), current_database()").collect()[0]
        return self._names.told_back(str(row[1])) if self._names.active else (str(row[0]), str(row[1]))

    def has_temporary_views(self) -> bool:
        """Whether the notebook made some; those that answer a nested DESCRIBE HISTORY do not count."""
        tables = self.session.catalog.listTables()
        return any(table.isTemporary and not table.name.startswith(NESTED_VIEW) for table in tables)

    def _restart(self) -> None:
        """The engine reads its list of catalogs when it starts: start another and move the session over.

        DataFrames stay valid, since a plan is sent anew with every action.
        """
        catalog, schema = self.namespace()
        self.session._client = SparkConnectClient(connection=self._connection())
        self.session._session_id = self.session._client._session_id
        self._servers.pop(0).stop()
        self._registrar = Registrar(self.catalog, self.session.engine_sql)
        self._configure()
        self._registrar.sync()
        self.use(catalog, schema)

    def _new_registrar(self) -> Registrar:
        """For the embedded engine, which has every catalog, or a server of somebody else's. Raises: RemoteUnfit."""
        execute = self.session.engine_sql
        if not self._remote:
            return Registrar(self.catalog, execute)
        needed = self.catalog.default_catalog
        if has_delta_in_spark_catalog(self.session.conf.get, needed):
            self._names.active = True
            return SharedRegistrar(self.catalog, execute)
        served = served_catalogs(self._remote, [needed, *engine_catalogs(self.catalog)], needed, execute)
        return Registrar(self.catalog, execute, served)

    def _connection(self) -> Any:
        if self._remote:
            expect_reachable(self._remote)
        url = self._remote or self._start_server()
        os.environ |= {"SPARK_REMOTE": url, "SPARK_CONNECT_MODE_ENABLED": "1"}  # SparkSession.builder finds the session
        builder = DefaultChannelBuilder(url, None if self._remote else UNCOMPRESSED)
        builder.add_interceptor(PathInterceptor(self.mapper, self._nullable_writes.rewrite))
        if self._remote:
            builder.add_interceptor(NameInterceptor(self._names))
        return builder

    def _schema_of(self, relation: Any) -> Any:
        return self.session.client.schema(proto.Plan(root=relation))

    def _start_server(self) -> str:
        from pysail.spark import SparkConnectServer  # loaded with the engine only, never with SPARK_REMOTE

        names = list(dict.fromkeys([self.catalog.default_catalog, *engine_catalogs(self.catalog)]))
        listed = ", ".join(f'{{type="memory", name="{name}", initial_database=["default"]}}' for name in names)
        for name, value in _SAIL.items():
            os.environ.setdefault(name, value)
        os.environ["SAIL_CATALOG__LIST"] = f"[{listed}]"
        os.environ["SAIL_CATALOG__DEFAULT_CATALOG"] = self.catalog.default_catalog
        server = SparkConnectServer("127.0.0.1", 0)
        server.start(background=True)
        self._servers.append(server)  # a server ends with its last reference
        self._listed = set(names)
        _, port = server.listening_address
        return f"sc://127.0.0.1:{port}"

    def _configure(self) -> None:
        if not self._remote:  # an engine in this process loses no answer that it would have to be asked for again
            self.session.client.disable_reattachable_execute()
            remember_settings(self.session.client)
        own = _SPARK_CONF if self._names.active else {} if self._remote else _EMBEDDED_CONF
        for key, value in (_SESSION_CONF | own).items():
            self.session.conf.set(key, value)
