"""What a worker process does once it exists: warm up, then one task, or SQL statements until nobody asks any more."""

from __future__ import annotations

import json
import os
import shutil
import socket
import threading
import warnings
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from deltalake import DeltaTable
from pyspark.errors import PySparkException
from pyspark.sql import functions as F

from local_workspace.engine import frames
from local_workspace.engine.catalog import Catalog
from local_workspace.engine.remote import RemoteUnfit, same_files_missing
from local_workspace.engine.session import Engine
from local_workspace.engine.sql_binding import bound_values
from local_workspace.engine.sql_values import as_texts
from local_workspace.engine.tasks import TaskContext, TaskOutcome, TaskRequest
from local_workspace.notebooks import local_paths
from local_workspace.notebooks.errors import error_text
from local_workspace.notebooks.runner import run_task
from local_workspace.storage import Storage

_SQL_ERROR_CODES = (
    ("ParseException", "PARSE_SYNTAX_ERROR"),
    ("AnalysisException", "BAD_REQUEST"),
    ("IllegalArgumentException", "BAD_REQUEST"),
)


def serve_worker(channel: socket.socket, data_dir: str, spark_remote: str | None) -> None:
    """Serve what comes over the channel. Raises: ChannelClosed when the server is done with this worker."""
    warnings.simplefilter("ignore")  # the engine's and pyspark's warnings are no output of a notebook
    np.random.seed()
    storage = Storage(data_dir)
    try:
        engine = _warm_engine(storage, spark_remote)
    except RemoteUnfit as unfit:
        frames.send(channel, {"event": "not_started", "message": str(unfit)})
        return
    except Exception as fault:
        frames.send(channel, {"event": "not_started", "message": error_text(fault)})
        raise
    frames.send(channel, {"event": "warm"})
    while True:
        message = frames.receive(channel)
        if message["do"] == "run":
            _end_when_closed(channel)
            _serve_task(channel, engine, message)
            return
        _serve_statement(channel, engine, message)


def _warm_engine(storage: Storage, spark_remote: str | None) -> Engine:
    engine = Engine(Catalog(storage), spark_remote)
    try:
        _warm_up(engine, storage)
    except Exception as fault:
        if spark_remote:
            raise same_files_missing(spark_remote, fault) from fault
        raise
    return engine


def _warm_up(engine: Engine, storage: Storage) -> None:
    """The first write, read and merge of a process load code that no user should wait for."""
    folder = storage.root / "scratch" / str(os.getpid())
    uri = str(folder)
    try:
        engine.session.range(3).withColumn("name", F.lit("x")).write.format("delta").mode("overwrite").save(uri)
        frame = engine.session.read.format("delta").load(uri)
        engine.session.createDataFrame([(1, "y")], "id bigint, name string").createOrReplaceTempView("warm_up")
        engine.session.sql(
            f"MERGE INTO delta.`{uri}` t USING warm_up s ON t.id = s.id "
            "WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *"
        )
        frame.groupBy("name").agg(F.count("*")).collect()
        DeltaTable(uri).version()
        engine.session.catalog.dropTempView("warm_up")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _end_when_closed(channel: socket.socket) -> None:
    """During a task nothing is sent to a worker: when the channel becomes readable, the server is gone."""

    def watch() -> None:
        if not channel.recv(1, socket.MSG_PEEK):
            os.killpg(0, 9)

    threading.Thread(target=watch, daemon=True).start()


def _serve_task(channel: socket.socket, engine: Engine, message: frames.Message) -> None:
    request = _request(message["request"])
    request.output_dir.mkdir(parents=True, exist_ok=True)
    stdout = os.open(request.output_dir / "stdout.txt", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(stdout, 1)
    os.dup2(stdout, 2)
    local_paths.install(engine.catalog.storage)
    try:
        engine.refresh()
        outcome = run_task(engine, request)
    except Exception as fault:  # noqa: BLE001  the runtime's own failure is told as what it is
        outcome = TaskOutcome("crashed", error=f"The notebook runtime failed: {error_text(fault)}")
    (request.output_dir / "outcome.json").write_text(json.dumps(asdict(outcome)))
    frames.send(channel, {"event": "ended", "outcome": asdict(outcome)})


def _serve_statement(channel: socket.socket, engine: Engine, message: frames.Message) -> None:
    try:
        answer, payload = _execute(engine, message)
    except Exception as fault:  # noqa: BLE001  any refusal is the statement's answer
        frames.send(channel, {"error_code": _error_code(fault), "message": _message(fault)})
        return
    frames.send(channel, answer, payload)


def _execute(engine: Engine, message: frames.Message) -> tuple[frames.Message, bytes]:
    engine.refresh()
    engine.use(message["catalog"] or engine.catalog.default_catalog, message["schema"] or "default")
    frame = engine.session.sql(message["statement"], bound_values(message["parameters"]) or None)
    columns = [_column(position, field) for position, field in enumerate(frame.schema.fields)]
    limit = message["row_limit"]
    table = (frame.limit(limit + 1) if limit is not None else frame).toArrow() if columns else pa.table({})
    truncated = limit is not None and table.num_rows > limit
    texts = as_texts(table.slice(0, limit) if truncated else table)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, texts.schema) as stream:
        stream.write_table(texts)
    return {"columns": columns, "truncated": truncated}, sink.getvalue().to_pybytes()


def _column(position: int, field: Any) -> dict[str, Any]:
    text = field.dataType.simpleString()
    names = {"bigint": "LONG", "smallint": "SHORT", "tinyint": "BYTE", "void": "NULL"}
    base = text.split("(")[0].split("<")[0]
    column = {"name": field.name, "type_text": text.upper(), "type_name": names.get(base, base.upper())}
    if base == "decimal":
        column |= {"type_precision": field.dataType.precision, "type_scale": field.dataType.scale}
    return column | {"position": position}


def _error_code(fault: Exception) -> str:
    name = type(fault).__name__
    return next((code for kind, code in _SQL_ERROR_CODES if kind == name), "BAD_REQUEST")


def _message(fault: Exception) -> str:
    return str(fault) if isinstance(fault, PySparkException) else error_text(fault)


def _request(fields: dict[str, Any]) -> TaskRequest:
    return TaskRequest(
        **{
            **fields,
            "context": TaskContext(**fields["context"]),
            "output_dir": Path(fields["output_dir"]),
        }
    )
