"""Faults of calls: what the caller sees goes wrong, what the workspace does never.

One ASGI middleware around all routes. Without a rule that fires, a call passes through it untouched.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from local_workspace.api.http import MAX_BODY_BYTES
from local_workspace.clock import Clock
from local_workspace.faults.switchboard import Answer, ArmedRule, Switchboard


class FaultMiddleware:
    """Lets the rule that fires at a call, if any, decide what its caller sees."""

    def __init__(self, app: ASGIApp, *, switchboard: Switchboard, clock: Clock) -> None:
        self._app = app
        self._switchboard = switchboard
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not self._switchboard.rules:
            await self._app(scope, receive, send)
            return
        method, path = scope["method"], scope["path"]
        read = f"{path}?{scope.get('query_string', b'').decode('latin-1')}"
        armed = self._switchboard.for_call(method, path, read)
        keepers = self._switchboard.keepers(method, path)
        if armed is None and not keepers:
            await self._app(scope, receive, send)
            return
        call = _Call(self._app, scope, receive, send, self._clock)
        await call.read_body()
        earlier = armed.earlier(read) if armed is not None else None
        for keeper in keepers:
            keeper.keep(read, await call.work())
        if armed is None:
            await call.answer(await call.work())
        elif earlier is not None:
            await call.work()
            armed.struck()
            await call.answer(earlier)
        else:
            await _EFFECTS[armed.rule.kind](call, armed)


class _Call:
    """One request that something may happen to."""

    def __init__(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send, clock: Clock) -> None:
        self._app = app
        self._scope = scope
        self._receive = receive
        self._send = send
        self._clock = clock
        self._begun: list[Message] = []
        self._answer: Answer | None = None

    async def read_body(self) -> None:
        """Take the request in, so that it is worked on even when the caller has left meanwhile; a large one in part."""
        size, more = 0, True
        while more and size <= MAX_BODY_BYTES:
            message = await self._receive()
            self._begun.append(message)
            size += len(message.get("body", b""))
            more = message.get("more_body", False)

    async def work(self) -> Answer:
        """Have the workspace do what was asked, once, and keep its answer from the caller."""
        if self._answer is None:
            self._answer = await self._worked()
        return self._answer

    async def wait(self, seconds: float) -> None:
        await self._clock.sleep(seconds)

    async def answer(self, answer: Answer) -> None:
        """Answer the caller."""
        await self._send({"type": "http.response.start", "status": answer.status, "headers": list(answer.headers)})
        await self._send({"type": "http.response.body", "body": answer.body})

    async def break_off(self, answer: Answer) -> None:
        """Begin to answer, and close the connection before all has been sent."""
        await self._send({"type": "http.response.start", "status": answer.status, "headers": list(answer.headers)})
        part = answer.body[: len(answer.body) // 2]
        await self._send({"type": "http.response.body", "body": part, "more_body": True})
        await self.hang_up()

    async def hang_up(self) -> None:
        """Close the connection. ASGI has no word for that; the server's request, whose method `receive` is, has it."""
        self._receive.__self__.transport.close()  # type: ignore[attr-defined]
        while (await self._receive())["type"] != "http.disconnect":
            continue

    async def _worked(self) -> Answer:
        taken: list[Message] = []
        given = iter(self._begun)

        async def receive() -> Message:
            return next(given, None) or await self._receive()

        async def send(message: Message) -> None:
            taken.append(message)

        await self._app(self._scope, receive, send)
        body = b"".join(message.get("body", b"") for message in taken[1:])
        return Answer(taken[0]["status"], tuple(taken[0]["headers"]), body)


Effect = Callable[[_Call, ArmedRule], Awaitable[None]]


async def _throttled(call: _Call, armed: ArmedRule) -> None:
    armed.struck()
    await call.answer(_refusal(429, "REQUEST_LIMIT_EXCEEDED", "Too many requests; a fault that was asked for.", armed))


async def _unavailable(call: _Call, armed: ArmedRule) -> None:
    armed.struck()
    await call.answer(_refusal(503, "TEMPORARILY_UNAVAILABLE", "Unavailable; a fault that was asked for.", armed))


async def _unavailable_after_work(call: _Call, armed: ArmedRule) -> None:
    await call.work()
    await _unavailable(call, armed)


async def _lost_reply(call: _Call, armed: ArmedRule) -> None:
    await call.work()
    armed.struck()
    await call.hang_up()


async def _stall(call: _Call, armed: ArmedRule) -> None:
    if armed.parameters["when"] == "after_work":
        await call.work()
    armed.struck()
    await call.wait(armed.parameters["seconds"])
    await call.answer(await call.work())


async def _truncated_body(call: _Call, armed: ArmedRule) -> None:
    answer = await call.work()
    armed.struck()
    if armed.parameters["framing"] == "cut":
        await call.break_off(answer)
    else:
        await call.answer(_with_body(answer, answer.body[: len(answer.body) // 2]))


async def _unknown_state(call: _Call, armed: ArmedRule) -> None:
    answer = await call.work()
    armed.struck()
    try:
        told = json.loads(answer.body)
    except ValueError:
        await call.answer(answer)
        return
    _rename_states(told, armed.parameters["field"], armed.parameters["value"])
    await call.answer(_with_body(answer, json.dumps(told, separators=(",", ":")).encode()))


async def _expired_token(call: _Call, armed: ArmedRule) -> None:
    armed.struck()
    status = armed.parameters["status"]
    code = "UNAUTHENTICATED" if status == 401 else "PERMISSION_DENIED"
    await call.answer(_refusal(status, code, "The token has expired; a fault that was asked for.", armed))


_EFFECTS: dict[str, Effect] = {
    "throttled": _throttled,
    "unavailable": _unavailable,
    "unavailable_after_work": _unavailable_after_work,
    "lost_reply": _lost_reply,
    "stall": _stall,
    "truncated_body": _truncated_body,
    "unknown_state": _unknown_state,
    "expired_token": _expired_token,
}


def _refusal(status: int, error_code: str, message: str, armed: ArmedRule) -> Answer:
    body = json.dumps({"error_code": error_code, "message": message}, separators=(",", ":")).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    if wait_s := armed.parameters.get("retry_after_s"):
        headers.append((b"retry-after", f"{wait_s:g}".encode()))
    return Answer(status, tuple(headers), body)


def _with_body(answer: Answer, body: bytes) -> Answer:
    kept = [(name, value) for name, value in answer.headers if name.lower() != b"content-length"]
    return Answer(answer.status, (*kept, (b"content-length", str(len(body)).encode())), body)


def _rename_states(told: Any, field: str, value: str) -> None:
    """Put `value` wherever a run or task says its state, in both forms of the API."""
    if isinstance(told, list):
        for item in told:
            _rename_states(item, field, value)
    elif isinstance(told, dict):
        if field in told:
            told[field] = value
        status = told.get("status")
        if field == "life_cycle_state" and isinstance(status, dict) and "state" in status:
            status["state"] = value
        for item in told.values():
            _rename_states(item, field, value)
