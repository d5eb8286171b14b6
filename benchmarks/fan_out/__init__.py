"""Fan-out: bursts of events to thousands of WebSocket clients of one process, beside the plain way to do it.

Two servers, busy one after the other: the product's stream, and a plain FastAPI application that awaits `send_text` per
client and event. The same client program, the same events, no compression on either side; every client checks that it
gets each seq once and in order. Time runs from the request that causes a burst to the last byte at the last client.
"""

from __future__ import annotations

import asyncio
import resource
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import uvloop

from benchmarks.fan_out.clients import Crowd, connect
from benchmarks.fan_out.process import Usage
from benchmarks.quantiles import quantile

CLIENTS = 5_000
ROUNDS = 5
EVENTS = 250  # in a burst of the product
PLAIN_EVENTS = 25  # the plain server's rate does not depend on how many there are; more would only take longer
CHECKOUT = Path(__file__).parents[2]
KB = 1000


@dataclass(frozen=True, slots=True)
class Timing:
    """One burst, from the request to the last client."""

    deliveries: int
    took_s: float
    cpu_s: float

    @property
    def per_s(self) -> float:
        return self.deliveries / self.took_s

    @property
    def cpu_us(self) -> float:
        """The server's processor time for one delivery."""
        return self.cpu_s / self.deliveries * 1e6


@dataclass
class Loaded:
    """A server process and the clients that are connected to it."""

    port: int
    http: httpx.AsyncClient
    crowd: Crowd = field(default_factory=Crowd)
    kb_per_client: float = 0.0  # 1,000 bytes
    sent: int = 0
    timings: list[Timing] = field(default_factory=list)

    async def join(self, clients: int, path: str) -> None:
        """Connect the clients; what the server's memory grows by is theirs."""
        await self.usage()  # it has started
        first = await connect(self.port, 20, path)  # what a server loads with its first clients is not theirs
        empty = await self.usage()
        self.crowd = await connect(self.port, clients, path)
        self.kb_per_client = await self._grown_kb(empty)
        first.leave()

    async def burst(self, events: int) -> Timing:
        """Have a burst sent and wait until every client has all of it."""
        self.crowd.expect(self.sent, self.sent + events)
        self.sent += events
        before = await self.usage()
        began = time.perf_counter()
        asked = asyncio.create_task(self.http.post("/burst", params={"count": events}))
        await self.crowd.all_there.wait()
        took_s = time.perf_counter() - began
        (await asked).raise_for_status()
        if self.crowd.faults:
            raise AssertionError(f"The stream was not what it must be: {self.crowd.faults[:3]}")
        cpu_s = (await self.usage()).cpu_s - before.cpu_s
        return Timing(events * len(self.crowd.clients), took_s, cpu_s)

    async def usage(self) -> Usage:
        return Usage.model_validate_json((await self.http.get("/usage")).text)

    async def _grown_kb(self, before: Usage) -> float:
        grown = (await self.usage()).rss_bytes - before.rss_bytes
        return grown / len(self.crowd.clients) / KB


def measure(clients: int = CLIENTS, rounds: int = ROUNDS) -> dict[str, object]:
    """Alternate bursts of the product and of the plain loop over `clients` clients each."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return uvloop.run(_measure(clients, rounds))


async def _measure(clients: int, rounds: int) -> dict[str, object]:
    with tempfile.TemporaryDirectory() as folder:
        async with _server("product", folder) as product, _server("plain", folder) as plain:
            await product.join(clients, "/ws?after=0&epoch=benchmark")
            await plain.join(clients, "/ws")
            for one, events in ((plain, PLAIN_EVENTS), (product, EVENTS)) * (rounds + 1):
                one.timings.append(await one.burst(events))
            for one in (product, plain):
                del one.timings[0]  # the first warms up
            return {
                "clients": clients,
                "event_bytes": product.crowd.burst.bytes_per_event,
                "product": _figures(product) | {"events_per_burst": EVENTS},
                "plain_send_text_loop": _figures(plain) | {"events_per_burst": PLAIN_EVENTS},
                "times_as_many_deliveries_per_s": _ratio(product, plain, lambda burst: burst.per_s),
                "times_less_cpu_per_delivery": _ratio(plain, product, lambda burst: burst.cpu_us),
            }


def _figures(one: Loaded) -> dict[str, object]:
    return {
        "deliveries_per_s": round(_median(one, lambda burst: burst.per_s)),
        "cpu_us_per_delivery": round(_median(one, lambda burst: burst.cpu_us), 2),
        "kb_per_idle_client": round(one.kb_per_client, 1),
    }


def _median(one: Loaded, figure: Callable[[Timing], float]) -> float:
    return quantile([figure(burst) for burst in one.timings], 0.5)


def _ratio(more: Loaded, less: Loaded, figure: Callable[[Timing], float]) -> float:
    return round(_median(more, figure) / _median(less, figure), 1)


@asynccontextmanager
async def _server(name: str, folder: str) -> AsyncIterator[Loaded]:
    """The server of that name as a process of its own, until the block ends."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(4096)
        port, handle = listening.getsockname()[1], listening.fileno()
        program = [sys.executable, "-m", f"benchmarks.fan_out.{name}", str(handle), folder]
        process = subprocess.Popen(program, cwd=CHECKOUT, pass_fds=[handle])  # noqa: ASYNC220 - nothing else runs yet
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=300) as http:
            yield Loaded(port, http)
    finally:
        process.kill()
        process.wait()
