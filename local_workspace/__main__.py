"""`python -m local_workspace`: serve the workspace on a loopback port."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
import uvloop
from pydantic import ValidationError

from local_workspace.app import build
from local_workspace.engine.nursery import Nursery, WorkerDied
from local_workspace.security import workspace_token
from local_workspace.server import log, parent
from local_workspace.server.lock import DataDirectoryInUse, hold
from local_workspace.server.serving import listen, serve
from local_workspace.settings import Settings
from local_workspace.storage import Storage


def main(
    port: Annotated[int | None, typer.Option(help="Loopback port; 0 takes a free one.")] = None,
    data_dir: Annotated[Path | None, typer.Option(help="Where everything is kept.")] = None,
    exit_with_parent: Annotated[bool, typer.Option(help="End when the starting process ends.")] = False,
) -> None:
    """Serve a Databricks-compatible workspace on 127.0.0.1 that runs notebooks for real."""
    exit_with = os.getppid() if exit_with_parent else None
    if exit_with_parent:
        parent.ask_kernel_to_tell()
    given: dict[str, Any] = {"workspace_port": port, "data_dir": data_dir}
    try:
        settings = Settings(**{name: value for name, value in given.items() if value is not None})
        _run(settings, exit_with)
    except WorkerDied as death:
        _refuse(f"its engine {death}")
    except (ValidationError, DataDirectoryInUse, OSError) as fault:
        _refuse(str(fault))


def _refuse(reason: str) -> NoReturn:
    typer.echo(f"The local workspace cannot start: {reason}", err=True)
    sys.exit(2)


def _run(settings: Settings, exit_with: int | None) -> None:
    log.configure()
    with hold(settings.data_dir), listen(settings.workspace_port) as listening:
        settings = settings.model_copy(update={"workspace_port": listening.getsockname()[1]})
        token = workspace_token(settings.data_dir / "workspace.token")
        app = build(settings, token=token)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            if settings.spark_remote:
                runner.run(_prove_engine(settings))
            runner.run(serve(app, listening, settings.host, exit_with=exit_with))


async def _prove_engine(settings: Settings) -> None:
    """An engine that somebody else runs is tried before anybody relies on it. Raises: WorkerDied."""
    nursery = Nursery(Storage(settings.data_dir), settings.spark_remote)
    try:
        await nursery.prove()
    finally:
        await nursery.stop()


if __name__ == "__main__":
    typer.run(main)
