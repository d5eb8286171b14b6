"""Real backends, real workspaces, kill -9 and faults at named points and at random: one run per click, whatever dies.

`CHAOS_SEED` repeats a sequence; the workspaces' and backends' logs stay in pytest's temporary folder.
"""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from backend.tests.durability.lane import ON_SQLITE, SETTLED_S, Setting, lane
from backend.tests.durability.oracle import Broken, check_one_run_per_click
from backend.tests.durability.points import POINTS
from backend.tests.durability.processes import nursery
from backend.tests.durability.proxy import without_tokens
from backend.tests.durability.suite import in_doubt_by_setting, play, play_all, play_on_lanes, report
from backend.tests.support.postgresql import PostgresqlServer
from backend.tests.support.waiting import until

SEED = int(os.environ.get("CHAOS_SEED", "0")) or random.SystemRandom().randrange(1, 10**9)
WORKSPACE_DEATHS = [name for name in POINTS if name.startswith(("workspace_dies", "both"))]
BACKEND_POINTS = [name for name in POINTS if name not in WORKSPACE_DEATHS]
LONG_CASES = 500
# Below these the points have not done what they are named for, and the green proves nothing.
LEAST_IN_DOUBT, LEAST_IN_DOUBT_LONG, LEAST_IN_DOUBT_EACH = 8, 120, 20


async def test_one_run_per_click_at_every_named_point(tmp_path: Path) -> None:
    points = [*BACKEND_POINTS, "workspace_dies_with_the_run", "workspace_dies_after_the_work"]
    async with nursery() as starter:
        cases = await play_all(starter, tmp_path, points, SEED)
    report(cases, "chaos", SEED)
    assert len(cases) == len(points)
    assert sum(case.in_doubt for case in cases) >= LEAST_IN_DOUBT


async def test_the_oracle_sees_the_second_run_of_a_backend_whose_token_is_lost(tmp_path: Path) -> None:
    async with nursery() as starter, lane(starter, tmp_path, through=without_tokens) as played:
        await play(played, "before_a_late_work", random.Random(SEED))

        async def twice() -> bool:
            return len(await played.workspace_runs()) == 2

        await until(twice, within_s=SETTLED_S)
        with pytest.raises(Broken, match="2 runs instead of one"):
            await check_one_run_per_click(played)


@pytest.mark.long
async def test_one_run_per_click_in_five_hundred_cases(tmp_path: Path, postgresql: PostgresqlServer) -> None:
    points = BACKEND_POINTS * 19 + ["at_random"] * 40 + WORKSPACE_DEATHS * 3
    random.Random(SEED).shuffle(points)
    async with nursery() as starter:
        with postgresql.database() as one, postgresql.database() as other:
            settings = [ON_SQLITE, Setting(one), Setting(mode="notebooks"), Setting(other, mode="notebooks")]
            cases = await play_on_lanes(starter, tmp_path, points, SEED, settings)
    report(cases, "chaos-long", SEED)
    assert len(cases) >= LONG_CASES
    in_doubt = in_doubt_by_setting(cases)
    assert sum(in_doubt.values()) >= LEAST_IN_DOUBT_LONG
    assert [name for name, count in in_doubt.items() if count < LEAST_IN_DOUBT_EACH] == []
    assert len(in_doubt) == len(settings)
