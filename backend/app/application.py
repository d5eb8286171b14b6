"""The application as a server. Imported while the local workspace starts: it takes as long as that does."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import sys
from collections.abc import Callable, Iterator

from fastapi import FastAPI

from app.api.routes_made import make_routes
from app.api.server import PipelineServer, build_server
from app.collector import spare_what_lasts
from app.domain.layers import LAYER_TASKS, Layer
from app.domain.submissions import IfActive, Wish
from app.main import Background, WorkspaceConnection, create_app
from app.services.deployment import Deployment, DeploymentPlan
from app.services.first_start import FIRST_RUN_MARKER, FirstStart
from app.settings import Settings

FIRST_RUN_KEY = "first-start"
LOOK_EVERY_S = 1.0
# So long a thread that makes figures keeps the loop, and a click, from going on; by default it is five times that.
THREADS_TURN_S = 0.001


async def serve_application(
    settings: Settings,
    connection: WorkspaceConnection,
    listening: socket.socket,
    *,
    host: str,
    loopback: bool,
    plan: DeploymentPlan,
    ready: Callable[[], None],
) -> None:
    """Serve until a signal ends it; `ready` is called when requests are answered."""
    begun = asyncio.Event()
    background: list[Background] = [_settling(begun)]
    if connection.prepared is not None:
        background.append(_first_start(settings, plan, connection.prepared))
    app = create_app(settings, workspace=connection, background=background, loopback=loopback)
    server = build_server(app, host=host, port=listening.getsockname()[1])

    sys.setswitchinterval(THREADS_TURN_S)

    def begin() -> None:
        spare_what_lasts()
        ready()
        begun.set()

    server.on_ready = begin
    with _ending_on_signals(server):
        await server.serve(sockets=[listening])


def _settling(begun: asyncio.Event) -> Background:
    async def settle(app: FastAPI) -> None:
        """Make what the first click would wait for; later, once the first round of calls has imported the SDK, which
        is as large as all the rest, spare what lasts."""
        await begun.wait()
        await make_routes(app)
        clock, tracker = app.state.clock, app.state.tracker
        while tracker.pulse().ended_ago_s is None:
            await clock.sleep(LOOK_EVERY_S)
        spare_what_lasts()

    return settle


def _first_start(settings: Settings, plan: DeploymentPlan, prepared: asyncio.Event) -> Background:
    async def run(app: FastAPI) -> None:
        async def start() -> None:
            await app.state.ledger.trigger(
                Wish(
                    layer=Layer.ALL.value,
                    tasks=LAYER_TASKS[Layer.ALL],
                    claim_ids=(),
                    reason="First start: the demo data, once through all layers",
                    if_active=IfActive.QUEUE,
                    requested_by="petinsure360",
                    request_key=FIRST_RUN_KEY,
                )
            )

        await FirstStart(
            api=app.state.workspace,
            deployment=Deployment(app.state.workspace, plan),
            prepared=prepared,
            landing_path=settings.petinsure_landing_path,
            demo_claims=settings.petinsure_demo_claims,
            marker=settings.petinsure_data_dir / FIRST_RUN_MARKER,
            start_first_run=start,
        ).run()

    return run


@contextlib.contextmanager
def _ending_on_signals(server: PipelineServer) -> Iterator[None]:
    """SIGINT and SIGTERM end the server in order; a second one stops waiting for open requests."""
    loop = asyncio.get_running_loop()

    def leave() -> None:
        server.force_exit = server.should_exit
        server.should_exit = True

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, leave)
    try:
        yield
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
