"""The named points at which the backend, or the workspace, is killed. All are reached from outside.

The workspace's faults hold a call at a moment, their hits tell that it is there; the store's write lock, held by the
test, keeps the backend between what it has heard and what it writes down. Each point is a coroutine that plays one
case up to its last kill and start; what became of it is judged afterwards.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Any

from backend.tests.durability.lane import SETTLED_S, SLOW, Case, Lane
from backend.tests.durability.oracle import Broken, check_repairs
from backend.tests.support.waiting import until

Dice = random.Random
Point = Callable[[Lane, Case, Dice], Awaitable[None]]

RUN_NOW, RUNS_LIST, RUNS_GET = "run-now", "runs/list", "runs/get"
COUNTED = {
    RUN_NOW: "POST /api/2.2/jobs/run-now",
    "submit": "POST /api/2.2/jobs/runs/submit",
    RUNS_LIST: "GET /api/2.2/jobs/runs/list",
    "cancel": "POST /api/2.2/jobs/runs/cancel",
    "repair": "POST /api/2.2/jobs/runs/repair",
}
HELD_S = 0.15  # a held call goes on after this; nothing waits for it to the end
LATE_S = 3.0
LONG_S = 600.0


def stall(call: str, when: str, seconds: float = HELD_S, **more: Any) -> dict[str, Any]:
    return {"kind": "stall", "call": call, "parameters": {"seconds": seconds, "when": when}, **more}


async def killed(lane: Lane, case: Case) -> None:
    """kill -9, then the same backend again; the world is well meanwhile."""
    await lane.kill(case)
    await lane.faults()
    await lane.backend.start()


# The click.


async def before_the_record(lane: Lane, case: Case, _dice: Dice) -> None:
    """The click has arrived and cannot be written down; nobody knows of it but the page, which repeats it."""
    with lane.store.nobody_writes():
        click = asyncio.create_task(lane.click(case))
        assert (await lane.backend.http.get("/api/health/live")).is_success
        await lane.kill(case)
    await lane.backend.start()
    await click


async def before_send(lane: Lane, case: Case, _dice: Dice) -> None:
    """The click is recorded and nothing was sent: a new backend still asks which workspace it talks to."""
    await lane.kill(case)
    await lane.faults(stall("me", "before_work", 2.0, count=None))
    await lane.backend.start()
    click = asyncio.create_task(lane.click(case))
    await until(lambda: lane.row(case) is not None, within_s=SETTLED_S)
    await killed(lane, case)
    await click


async def before_the_call_works(lane: Lane, case: Case, _dice: Dice) -> None:
    """The call has arrived and the workspace has not begun to work on it; it does, after the backend's death."""
    await _during_click(lane, case, stall(lane.setting.starts, "before_work"))


async def before_a_late_work(lane: Lane, case: Case, _dice: Dice) -> None:
    """As before, but the call is worked on so late that the same token was sent again and has its run."""
    await _during_click(lane, case, stall(lane.setting.starts, "before_work", LATE_S))


async def after_the_work(lane: Lane, case: Case, _dice: Dice) -> None:
    """The run exists, its answer is on its way."""
    await _during_click(lane, case, stall(lane.setting.starts, "after_work"))


async def after_a_lost_reply(lane: Lane, case: Case, _dice: Dice) -> None:
    """The run exists, and the connection was closed without an answer."""
    await _during_click(lane, case, {"kind": "lost_reply", "call": lane.setting.starts})


async def after_the_answer(lane: Lane, case: Case, _dice: Dice) -> None:
    """The backend has the answer, and transaction 2 has not been committed."""
    await lane.faults(stall(lane.setting.starts, "after_work"))
    before = await lane.answers_of(COUNTED[lane.setting.starts])
    click = asyncio.create_task(lane.click(case))
    await lane.hit()
    with lane.store.nobody_writes():
        await lane.answered(COUNTED[lane.setting.starts], more_than=before)
        await lane.kill(case)
    await lane.faults()
    await lane.backend.start()
    await click


async def around_the_answer(lane: Lane, case: Case, dice: Dice) -> None:
    """Some moment around the answer and its transaction, a few milliseconds wide."""
    await lane.faults(stall(lane.setting.starts, "after_work", 0.02))
    click = asyncio.create_task(lane.click(case))
    await lane.hit()
    await asyncio.sleep(dice.uniform(0, 0.05))
    await killed(lane, case)
    await click


async def after_the_commit(lane: Lane, case: Case, _dice: Dice) -> None:
    """As soon as the run is in the store: the publication may or may not have happened."""
    click = asyncio.create_task(lane.click(case))
    await until(lambda: (row := lane.row(case)) is not None and row.state == "ACCEPTED", within_s=SETTLED_S, every_s=0)
    await killed(lane, case)
    await click


async def two_clicks_at_once(lane: Lane, case: Case, _dice: Dice) -> None:
    """The same click twice at once, and a kill while the call is held."""
    await lane.faults(stall(lane.setting.starts, "after_work"))
    clicks = [asyncio.create_task(lane.click(case)) for _ in range(2)]
    await lane.hit()
    await killed(lane, case)
    await asyncio.gather(*clicks)


async def killed_twice_in_doubt(lane: Lane, case: Case, _dice: Dice) -> None:
    """Killed while the call is held, and again while it is sent again."""
    await lane.faults(stall(lane.setting.starts, "after_work", count=2))
    click = asyncio.create_task(lane.click(case))
    await lane.hit()
    await lane.kill(case)
    await lane.backend.start()
    await lane.hit(2)
    await killed(lane, case)
    await click


async def _during_click(lane: Lane, case: Case, rule: dict[str, Any]) -> None:
    await lane.faults(rule)
    click = asyncio.create_task(lane.click(case))
    await lane.hit()
    await killed(lane, case)
    await click


# The poller.


async def during_the_poll(lane: Lane, case: Case, dice: Dice) -> None:
    """The poller waits for its list."""
    await lane.accepted(case)
    await lane.faults(stall(RUNS_LIST, dice.choice(["before_work", "after_work"])))
    await lane.hit()
    await killed(lane, case)


async def after_the_poll(lane: Lane, case: Case, _dice: Dice) -> None:
    """The poller has its list, and what it shows has not been written down."""
    await lane.accepted(case)
    await lane.faults(stall(RUNS_LIST, "after_work", 0.5))
    await lane.hit()
    before = await lane.answers_of(COUNTED[RUNS_LIST])
    with lane.store.nobody_writes():
        await lane.answered(COUNTED[RUNS_LIST], more_than=before)
        await lane.kill(case)
    await lane.faults()
    await lane.backend.start()


async def during_the_output(lane: Lane, case: Case, _dice: Dice) -> None:
    """The run has ended and the poller reads what its task left."""
    await lane.faults(stall("get-output", "after_work"))
    await lane.accepted(case)
    await lane.hit()
    await killed(lane, case)


async def around_the_end(lane: Lane, case: Case, dice: Dice) -> None:
    """As the run ends, some moment around its last transaction."""
    run_id = await lane.accepted(case)

    async def over() -> bool:
        return bool((await lane.workspace_run(run_id))["status"]["state"] == "TERMINATED")

    await until(over, within_s=SETTLED_S, every_s=0)
    await asyncio.sleep(dice.uniform(0, 0.15))
    await killed(lane, case)


# Cancelling and repairing.


async def during_the_cancel(lane: Lane, case: Case, dice: Dice) -> None:
    """The call to cancel is held, before or after it worked."""
    await _slow(lane, case)
    await _asked(lane, case, "cancel", stall("cancel", dice.choice(["before_work", "after_work"])))
    await _canceled(lane, case)


async def after_the_cancel(lane: Lane, case: Case, _dice: Dice) -> None:
    """The workspace has taken the cancellation, and the ledger does not know it yet."""
    await _slow(lane, case)
    await _answered_unwritten(lane, case, "cancel")
    await _canceled(lane, case)


async def during_the_repair(lane: Lane, case: Case, dice: Dice) -> None:
    """The call to repair is held, before or after it worked."""
    await _failed(lane, case)
    await _asked(lane, case, "repair", stall("repair", dice.choice(["before_work", "after_work"])))
    await _repaired(lane, case)


async def lost_reply_of_the_repair(lane: Lane, case: Case, _dice: Dice) -> None:
    """The repair has begun and nobody was told."""
    await _failed(lane, case)
    await _asked(lane, case, "repair", {"kind": "lost_reply", "call": "repair"})
    await _repaired(lane, case)


async def after_the_repair(lane: Lane, case: Case, _dice: Dice) -> None:
    """The workspace has taken the repair, and the ledger does not know it yet."""
    await _failed(lane, case)
    await _answered_unwritten(lane, case, "repair")
    await _repaired(lane, case)


async def _slow(lane: Lane, case: Case) -> None:
    """A run that goes on until it is stopped."""
    case.claim_ids = (SLOW,)
    await lane.accepted(case)
    await lane.until_run(case, state="RUNNING")


async def _failed(lane: Lane, case: Case) -> None:
    """A run that has failed: its worker was killed."""
    await lane.faults({"kind": "worker_kill"})
    await lane.accepted(case)
    await lane.until_run(case, active=False, result="FAILED")


async def _asked(lane: Lane, case: Case, what: str, rule: dict[str, Any]) -> None:
    await lane.faults(rule)
    asking = asyncio.create_task(lane.ask(case, what))
    await lane.hit()
    await killed(lane, case)
    await asking


async def _answered_unwritten(lane: Lane, case: Case, what: str) -> None:
    await lane.faults(stall(what, "after_work"))
    before = await lane.answers_of(COUNTED[what])
    asking = asyncio.create_task(lane.ask(case, what))
    await lane.hit()
    with lane.store.nobody_writes():
        await lane.answered(COUNTED[what], more_than=before)
        await lane.kill(case)
    await lane.faults()
    await lane.backend.start()
    await asking


async def _canceled(lane: Lane, case: Case) -> None:
    if not lane.store.asked(case.run_id, "cancel"):
        raise Broken(f"the cancellation was sent before it was written down: {case}")
    await lane.until_run(case, active=False, result="CANCELED")


async def _repaired(lane: Lane, case: Case) -> None:
    if not lane.store.asked(case.run_id, "repair"):
        raise Broken(f"the repair was sent before it was written down: {case}")
    await lane.until_run(case, active=False, result="SUCCESS")
    await check_repairs(lane, case, 1)


# The workspace dies.


async def workspace_dies_before_the_work(lane: Lane, case: Case, _dice: Dice) -> None:
    """The call has arrived at a workspace that dies before it has done anything."""
    await _workspace_dies_during_click(lane, case, stall(lane.setting.starts, "before_work", LONG_S))


async def workspace_dies_after_the_work(lane: Lane, case: Case, _dice: Dice) -> None:
    """The run exists in a workspace that dies before it has answered; its answer is the run that died with it."""
    await _workspace_dies_during_click(lane, case, stall(lane.setting.starts, "after_work", LONG_S))


async def workspace_dies_with_the_run(lane: Lane, case: Case, _dice: Dice) -> None:
    """The run is active when its workspace dies: it has failed, and says why."""
    await _slow(lane, case)
    await lane.workspace.kill()
    await lane.workspace.start()
    run = await lane.until_run(case, active=False, result="FAILED")
    if "stopped while this run was active" not in str(run["error"]):
        raise Broken(f"the run does not say why it ended: {run['error']}")


async def both_die(lane: Lane, case: Case, _dice: Dice) -> None:
    """Backend and workspace die in the middle of the call."""
    await lane.faults(stall(lane.setting.starts, "after_work", LONG_S))
    click = asyncio.create_task(lane.click(case))
    await lane.hit()
    await lane.kill(case)
    await lane.workspace.kill()
    await lane.workspace.start()
    await lane.backend.start()
    await click


async def _workspace_dies_during_click(lane: Lane, case: Case, rule: dict[str, Any]) -> None:
    await lane.faults(rule)
    click = asyncio.create_task(lane.click(case))
    await lane.hit()
    await lane.workspace.kill()
    lane.note(case)
    await lane.workspace.start()
    await click


# Things go wrong, and nobody dies.


async def token_expires_in_doubt(lane: Lane, case: Case, _dice: Dice) -> None:
    """The reply is lost, and from then on the token is refused for a while."""
    await lane.faults(
        {"kind": "lost_reply", "call": lane.setting.starts},
        {"kind": "expired_token", "call": lane.setting.starts, "count": 2},
        {"kind": "expired_token", "call": "runs", "count": 4},
    )
    await lane.accepted(case)
    case.in_doubt = True
    await lane.faults()


async def refused_after_the_work(lane: Lane, case: Case, dice: Dice) -> None:
    """The run exists, and the caller is told 503, or half of the answer."""
    kind = dice.choice(["unavailable_after_work", "truncated_body"])
    await lane.faults({"kind": kind, "call": lane.setting.starts})
    await lane.accepted(case)
    case.in_doubt = True


async def throttled(lane: Lane, case: Case, _dice: Dice) -> None:
    """Nothing is taken at the first tries."""
    await lane.faults(
        {"kind": "throttled", "call": lane.setting.starts, "count": 2, "parameters": {"retry_after_s": 1}},
        {"kind": "throttled", "call": "runs", "count": 3, "parameters": {"retry_after_s": 1}},
    )
    await lane.accepted(case)


async def misled_by_what_is_read(lane: Lane, case: Case, dice: Dice) -> None:
    """Lists from before, states that nobody knows, halves of answers: none of them ends or repeats anything."""
    kinds: list[dict[str, Any]] = [
        {"kind": "stale_read", "call": "runs", "count": 10, "probability": 0.5, "seed": dice.randrange(1000)},
        {"kind": "unknown_state", "call": "runs", "count": 4, "probability": 0.5, "seed": dice.randrange(1000)},
        {"kind": "truncated_body", "call": "runs", "count": 2, "parameters": {"framing": "whole"}},
    ]
    await lane.faults(*kinds)
    await lane.accepted(case)
    await lane.until_run(case, active=False)
    await lane.faults()


# Anything, any time.


async def at_random(lane: Lane, case: Case, dice: Dice) -> None:
    """Any of the faults at any call, and a kill at any moment."""
    how_often = {"probability": 0.3, "count": None, "for_s": 3.0}
    kinds = ["throttled", "unavailable", "unavailable_after_work", "lost_reply", "truncated_body", "stale_read"]
    rules = [
        {
            "kind": kind,
            "call": dice.choice([lane.setting.starts, RUNS_LIST, RUNS_GET, "runs", "jobs"]),
            "seed": dice.randrange(1000),
        }
        | how_often
        for kind in dice.sample(kinds, 2)
    ]
    await lane.faults(*rules)
    click = asyncio.create_task(lane.click(case))
    await asyncio.sleep(dice.uniform(0, 0.6))
    await lane.kill(case)
    await lane.backend.start()
    await click
    await lane.accepted(case)
    await lane.faults()


POINTS: dict[str, Point] = {
    point.__name__: point
    for point in (
        before_the_record,
        before_send,
        before_the_call_works,
        before_a_late_work,
        after_the_work,
        after_a_lost_reply,
        after_the_answer,
        around_the_answer,
        after_the_commit,
        two_clicks_at_once,
        killed_twice_in_doubt,
        during_the_poll,
        after_the_poll,
        during_the_output,
        around_the_end,
        during_the_cancel,
        after_the_cancel,
        during_the_repair,
        lost_reply_of_the_repair,
        after_the_repair,
        token_expires_in_doubt,
        refused_after_the_work,
        throttled,
        misled_by_what_is_read,
        at_random,
        workspace_dies_with_the_run,
        workspace_dies_before_the_work,
        workspace_dies_after_the_work,
        both_die,
    )
}
