"""The command `petinsure360`."""

from __future__ import annotations

import asyncio
import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from app.remote import TERMINAL_EVENTS, RemoteBackend, RemoteRefusal

cli = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Run the medallion pipeline and watch it truthfully.",
)
data = typer.Typer(no_args_is_help=True, help="Demo data.")
cli.add_typer(data, name="data")
out = Console(highlight=False)
err = Console(stderr=True, highlight=False)

Url = Annotated[str, typer.Option("--url", envvar="PETINSURE_URL", help="Address of the running server.")]
DataDir = Annotated[Path, typer.Option("--data-dir", envvar="PETINSURE_DATA_DIR", help="Where all state is kept.")]
DEFAULT_URL = "http://127.0.0.1:8000"
DEFAULT_DATA_DIR = Path(".petinsure")


def main() -> int:
    """Entry point: refusals become one message and exit code 2."""
    try:
        cli()
    except RemoteRefusal as refusal:
        err.print(f"[red]✕[/] {refusal}")
        return 2
    return 0


@cli.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on; other than loopback needs sign-in.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(envvar="PORT")] = 8000,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Serve the dashboard and the API; starts the local workspace unless DATABRICKS_HOST is set."""
    from app.collector import rest_while_starting

    rest_while_starting()
    from app.serve import run_server

    raise typer.Exit(run_server(host=host, port=port, data_dir=data_dir, say=_say))


@cli.command()
def workspace(
    port: Annotated[int, typer.Option(envvar="PETINSURE_WORKSPACE_PORT")] = 8471,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Serve the local workspace alone, for any Databricks client; its token is in <data dir>/workspace.token."""
    program = [sys.executable, "-m", "local_workspace", "--port", str(port), "--data-dir", str(data_dir)]
    os.execv(sys.executable, program)  # the same process goes on as the workspace, so that signals need no relay


@cli.command()
def trigger(
    layer: Annotated[str, typer.Argument(help="bronze, silver, gold or all")],
    claim: Annotated[list[str] | None, typer.Option("--claim", help="Only this claim; may be repeated.")] = None,
    reason: Annotated[str | None, typer.Option(help="Kept in the audit trail.")] = None,
    if_active: Annotated[str, typer.Option(help="When the layer runs already: reject, queue or join.")] = "reject",
    watch: Annotated[bool, typer.Option("--watch", help="Follow the run to its end.")] = False,
    url: Url = DEFAULT_URL,
) -> None:
    """Start a layer."""
    backend = _backend(url)
    seq, epoch = backend.position()
    answer = backend.trigger(layer, claim or [], reason, if_active)
    _say(f"{answer['submission_state']}  run {answer['run_id'] or 'not yet known'}  {answer['job_url'] or ''}")
    if watch:
        raise typer.Exit(_follow(backend, seq, epoch, "submission_id", answer["submission_id"]))


@cli.command()
def runs(limit: Annotated[int, typer.Option(min=1, max=100)] = 20, url: Url = DEFAULT_URL) -> None:
    """List the newest runs."""
    table = Table(box=None, pad_edge=False)
    for name in ("run", "layer", "state", "started", "duration", "records", "by"):
        table.add_column(name, no_wrap=name != "by")
    for run in _backend(url).runs(limit):
        records = run.get("records") or {}
        shown = (
            run["run_id"] or run["submission_state"],
            run["layer"],
            run["result"] or run["state"],
            (run["started_at"] or "–")[:16].replace("T", " "),
            _seconds(run["duration_s"]),
            records.get("out"),
            run["requested_by"],
        )
        table.add_row(*(_text(value) for value in shown))
    out.print(table)


@cli.command()
def watch(run_id: int, url: Url = DEFAULT_URL) -> None:
    """Follow a run to its end; exit code 0 only if it succeeded."""
    backend = _backend(url)
    seq, epoch = backend.position()
    run = backend.run(run_id)
    if run["result"] is not None and run["ended_at"] is not None:
        out.print(f"{run['state']}  {run['result']}  {_seconds(run['duration_s'])}")
        raise typer.Exit(0 if run["result"] == "SUCCESS" else 1)
    raise typer.Exit(_follow(backend, seq, epoch, "run_id", run_id))


@cli.command()
def cancel(run_id: int, url: Url = DEFAULT_URL) -> None:
    """Ask the workspace to cancel a run."""
    out.print(f"Cancel requested; state {_backend(url).cancel(run_id).get('state')}")


@cli.command()
def repair(run_id: int, url: Url = DEFAULT_URL) -> None:
    """Run again what failed in a run."""
    out.print(f"Repair requested; state {_backend(url).repair(run_id).get('state')}")


@data.command()
def generate(
    out_dir: Annotated[Path, typer.Option("--out", help="The landing folder.")],
    claims: Annotated[int | None, typer.Option("--claims", help="1 to 5,000,000; default 15000.")] = None,
    seed: Annotated[int | None, typer.Option("--seed", help="Stands in every id; default 1.")] = None,
    as_of: Annotated[str | None, typer.Option("--as-of", help="Last day landed; default yesterday, UTC.")] = None,
    append_day: Annotated[bool, typer.Option("--append-day", help="Add one day to what the folder holds.")] = False,
    scenarios: Annotated[bool, typer.Option("--scenarios", help="Write the named edge cases instead.")] = False,
) -> None:
    """Write landing data: customers, pets, policies, providers, claims. The same options give the same bytes."""
    values = {"--out": out_dir, "--claims": claims, "--seed": seed, "--as-of": as_of}
    program = [sys.executable, "-m", "data_generator"]
    program += [f"{name}={value}" for name, value in values.items() if value is not None]
    program += ["--append-day"] if append_day else []
    program += ["--scenarios"] if scenarios else []
    raise typer.Exit(subprocess.run(program, check=False).returncode)


@cli.command()
def deploy(
    force: Annotated[bool, typer.Option("--force", help="Overwrite notebooks that were edited there.")] = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Put the notebooks and the job into the workspace (DATABRICKS_HOST, else the local one)."""
    from app import logs
    from app.serve import deploy_once

    logs.configure(logging.WARNING)
    raise typer.Exit(asyncio.run(deploy_once(data_dir=data_dir, force=force, say=_say)))


@cli.command()
def doctor(data_dir: DataDir = DEFAULT_DATA_DIR) -> None:
    """Check settings, credentials and reachability, and say what to fix."""
    from app import logs
    from app.doctor import examine

    logs.configure(logging.ERROR)
    raise typer.Exit(asyncio.run(examine(data_dir=data_dir, say=_say)))


def _say(text: str) -> None:
    out.print(text, soft_wrap=True)


def _backend(url: str) -> RemoteBackend:
    return RemoteBackend(url, os.environ.get("PETINSURE_API_TOKEN"))


def _follow(backend: RemoteBackend, seq: int, epoch: str, key: str, value: Any) -> int:
    for event in backend.events(seq, epoch):
        if event["data"].get(key) != value:
            continue
        _say(f"{event['at'][11:19]}  {_described(event)}")
        if event["type"] in TERMINAL_EVENTS:
            return 0 if event["type"] == "databricks_job_completed" else 1
    return 1


def _described(event: dict[str, Any]) -> str:
    data = event["data"]
    match event["type"]:
        case "databricks_job_submitting":
            return f"not accepted yet: {data.get('reason')}; next try {data.get('next_try_at')}"
        case "databricks_job_started":
            return f"started run {data['run_id']}  {data.get('job_url') or ''}"
        case "databricks_job_progress":
            return f"{data.get('phase') or 'ending'}  {data.get('task') or ''}{_progress(data.get('progress'))}"
        case "databricks_job_completed":
            records = data.get("records") or {}
            return f"{data.get('result')} in {_seconds(data.get('duration'))}, {_text(records.get('out'))} records out"
        case "databricks_job_failed":
            error = data.get("error") or {}
            return f"failed: {error.get('message')} {error.get('advice') or ''}"
        case other:
            return str(other)


def _progress(progress: dict[str, Any] | None) -> str:
    return f"  {progress.get('done')}/{progress.get('total')} {progress.get('step') or ''}" if progress else ""


def _seconds(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f} s"


def _text(value: object) -> str:
    return "–" if value is None else str(value)


if __name__ == "__main__":
    sys.exit(main())
