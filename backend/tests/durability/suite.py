"""Playing cases on lanes, judging each, and telling what became of them."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from backend.tests.durability.lane import ON_SQLITE, SETTLED_S, Case, Lane, Setting, lane
from backend.tests.durability.oracle import Broken, check_one_run_per_click, check_the_log
from backend.tests.durability.points import POINTS
from backend.tests.durability.processes import Nursery
from backend.tests.support.waiting import until

AT_ONCE = 2
LAYERS = ("bronze", "silver", "gold", "gold", "all")
RESULTS = Path(__file__).parents[3] / "test-results"


async def play(lane: Lane, point: str, dice: random.Random) -> Case:
    """One case to its end. Raises Broken when a promise was not kept."""
    case = Case(point, lane.setting.name, layer=dice.choice(LAYERS))
    lane.cases.append(case)
    begun = time.monotonic()
    await POINTS[point](lane, case, dice)
    await _settle(lane, case)
    case.seconds = round(time.monotonic() - begun, 2)
    return case


async def _settle(lane: Lane, case: Case) -> None:
    """A click that was written down becomes a run by itself; one that was not is repeated, as the page does it."""
    if lane.row(case) is not None:
        await _accepted_by_itself(lane, case)
    first = case.run_id
    run_id = await lane.accepted(case)
    if first not in (None, run_id):
        raise Broken(f"a repeated click was answered with another run: {first}, {run_id}")
    run = await lane.until_run(case, active=False)
    case.outcome = str(run["result"])


async def _accepted_by_itself(lane: Lane, case: Case) -> None:
    def decided() -> bool:
        row = lane.row(case)
        return row is not None and row.state in ("ACCEPTED", "REFUSED", "LOST")

    try:
        await until(decided, within_s=SETTLED_S)
    except TimeoutError as late:
        raise Broken(f"still {lane.row(case)} after {SETTLED_S:.0f} s: {case}") from late
    row = lane.row(case)
    if row is None or row.state != "ACCEPTED":
        raise Broken(f"the click ended as {row}: {case}")


async def play_all(
    starter: Nursery, directory: Path, points: Sequence[str], seed: int, setting: Setting = ON_SQLITE
) -> list[Case]:
    """Play the points one after the other on a lane of their own, then judge everything that happened on it."""
    dice = random.Random(seed)
    async with lane(starter, directory, setting) as played:
        for point in points:
            await play(played, point, dice)
        await check_one_run_per_click(played)
        log = await played.log()
        await until(lambda: bool(played.watched) and played.watched[-1]["seq"] >= log[-1]["seq"], within_s=SETTLED_S)
        await check_the_log(played)
        return played.cases


async def play_on_lanes(
    starter: Nursery, directory: Path, points: Sequence[str], seed: int, settings: Sequence[Setting]
) -> list[Case]:
    """The points spread over a lane for each setting, of which two are played side by side."""
    turn = asyncio.Semaphore(AT_ONCE)

    async def take_turn(number: int, setting: Setting) -> list[Case]:
        async with turn:
            mine = points[number :: len(settings)]
            return await play_all(starter, directory / f"lane-{number}", mine, seed + number, setting)

    async with asyncio.TaskGroup() as group:
        playing = [group.create_task(take_turn(number, setting)) for number, setting in enumerate(settings)]
    return [case for one in playing for case in one.result()]


def report(cases: Sequence[Case], name: str, seed: int) -> None:
    """How often each point was reached on which setting and what became of it, into test-results; pytest shows it at
    its end.
    """
    by_point: dict[str, Counter[str]] = defaultdict(Counter)
    for case in cases:
        by_point[case.point][f"{case.at_death} -> {case.outcome}"] += 1
    in_doubt, kills = sum(case.in_doubt for case in cases), sum(case.kills for case in cases)
    lines = [f"{len(cases)} cases, {kills} backends killed, {in_doubt} clicks in doubt, seed {seed}"]
    doubts = in_doubt_by_setting(cases)
    for setting, ours in sorted(_by_setting(cases).items()):
        lines.append(f"  on {setting}: {len(ours)} cases, {doubts[setting]} in doubt")
    for point in POINTS:
        outcomes = ", ".join(f"{outcome}: {count}" for outcome, count in sorted(by_point[point].items()))
        lines.append(f"  {point:32} {sum(by_point[point].values()):4}   {outcomes}")
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.json").write_text(json.dumps([asdict(case) for case in cases], indent=1))
    (RESULTS / f"{name}.txt").write_text("\n".join(lines))


def in_doubt_by_setting(cases: Sequence[Case]) -> dict[str, int]:
    """How many cases of each setting had a click in doubt."""
    return {setting: sum(case.in_doubt for case in ours) for setting, ours in _by_setting(cases).items()}


def _by_setting(cases: Sequence[Case]) -> dict[str, list[Case]]:
    found: dict[str, list[Case]] = defaultdict(list)
    for case in cases:
        found[case.setting].append(case)
    return found
