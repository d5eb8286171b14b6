"""The application: routes, middleware and the lifespan in which everything runs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

import structlog
from fastapi import Depends, FastAPI

from app.api import claims, dashboard, errors, events, faults, health, insights, lake, pipeline, reference, webhooks
from app.api.openapi import describe
from app.api.rate_limit import TOO_MANY, RateLimit
from app.api.security import LOOPBACK_NAMES, SecurityMiddleware
from app.api.sign_in import SignInMiddleware
from app.api.tracing import TracingMiddleware
from app.assembly import Surroundings, assemble
from app.checkout import DASHBOARD
from app.connection import WorkspaceConnection as WorkspaceConnection
from app.connection import connection_to_databricks as connection_to_databricks
from app.domain.token_bucket import Allowance
from app.services.tracing import NO_TRACING, OpenTelemetryTracing, Tracing, opentelemetry_to
from app.settings import Settings

log = structlog.get_logger()

# A click is one request, landing a day's claims is many.
CLAIMS_PER_TRIGGER = 10
Background = Callable[[FastAPI], Awaitable[None]]


def create_app(
    settings: Settings,
    *,
    workspace: WorkspaceConnection,
    background: Sequence[Background] = (),
    loopback: bool = True,
    tracing: Tracing | None = None,
    surroundings: Surroundings | None = None,
) -> FastAPI:
    """The application. `background` runs beside it once it is up; `loopback` False means served beyond this machine.

    `tracing` None: to the collector that the settings name, if they do.
    """
    surroundings = surroundings or Surroundings()
    clock = surroundings.clock
    endpoint = settings.otel_exporter_otlp_endpoint
    tracing = tracing or (opentelemetry_to(endpoint) if endpoint else NO_TRACING)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            if isinstance(tracing, OpenTelemetryTracing):
                stack.push_async_callback(asyncio.to_thread, tracing.close)
            loops = await assemble(app, settings, workspace, stack, surroundings)
            async with asyncio.TaskGroup() as group:
                running = [group.create_task(loop) for loop in loops]
                running += [group.create_task(_forgiving(one, app)) for one in background]
                try:
                    yield
                finally:
                    app.state.hub.close()
                    await app.state.database.quiesce()
                    for task in running:
                        task.cancel()

    app = FastAPI(
        title="PetInsure360 pipeline control",
        version="1",
        lifespan=lifespan,
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
    )
    errors.install(app)
    for module in (health, events, lake, insights, webhooks, reference, faults):
        app.include_router(module.router)
    rate, burst = settings.petinsure_trigger_rate, settings.petinsure_trigger_burst
    for router, times in ((pipeline.router, 1), (claims.router, CLAIMS_PER_TRIGGER)):
        limit = RateLimit(Allowance(burst=burst * times, per_s=rate * times), clock)
        app.include_router(router, dependencies=[Depends(limit)], responses=TOO_MANY)
    app.state.dashboard = dashboard.Dashboard(DASHBOARD)
    app.include_router(dashboard.router)
    describe(app)
    if settings.access_tokens:
        app.add_middleware(SignInMiddleware, tokens=settings.access_tokens)
    app.add_middleware(
        SecurityMiddleware,
        allowed_hosts=LOOPBACK_NAMES if loopback else None,
        allowed_origins=settings.petinsure_allowed_origins,
    )
    app.add_middleware(TracingMiddleware, tracing=tracing)
    app.state.webhook_credentials, app.state.tracing = settings.webhook_credentials, tracing
    return app


async def _forgiving(one: Background, app: FastAPI) -> None:
    """A fault of what runs beside the application does not end the application."""
    try:
        await one(app)
    except Exception:
        log.exception("background_failed")
