"""Workers: warm when needed, gone when cancelled, honest when they die."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from local_workspace.engine.pool import WorkerPool
from local_workspace.engine.process_life import NICENESS, death_in_words
from local_workspace.tests.live_engine import Bench, bench
from local_workspace.tests.waiting import until


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with bench(tmp_path_factory.mktemp("pool")) as made:
        yield made


def alive(pid: int) -> bool:
    """Whether a process runs; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_notebook_that_simply_ends_is_a_success_with_an_empty_result(live: Bench) -> None:
    outcome = live.run("x = 1")
    assert (outcome.status, outcome.result, outcome.error) == ("success", "", None)


def test_every_task_has_a_process_of_its_own(live: Bench) -> None:
    source = "import os\ndbutils.notebook.exit(os.getpid())"
    assert live.run(source).result != live.run(source).result


def test_a_notebook_leaves_the_processors_to_others_first(live: Bench) -> None:
    source = "import os\ndbutils.notebook.exit(os.getpriority(os.PRIO_PROCESS, 0))"
    assert int(str(live.run(source).result)) == min(os.getpriority(os.PRIO_PROCESS, 0) + NICENESS, 19)


@pytest.mark.skipif(not hasattr(os, "SCHED_BATCH"), reason="Linux only")
def test_a_notebook_that_wakes_up_does_not_push_aside_who_is_at_work(live: Bench) -> None:
    source = "import os\ndbutils.notebook.exit(os.sched_getscheduler(0))"
    assert int(str(live.run(source).result)) == os.SCHED_BATCH


def test_three_tasks_in_a_row_find_a_worker_although_the_pool_is_smaller(live: Bench) -> None:
    assert [live.run("dbutils.notebook.exit('done')").result for _ in range(3)] == ["done"] * 3


def test_tasks_run_side_by_side(live: Bench) -> None:
    meeting = live.storage.resolve("/Volumes/c/s/meeting")
    meeting.mkdir(parents=True)
    source = """
import os, time
open(f"/Volumes/c/s/meeting/{os.getpid()}", "w").close()
deadline = time.monotonic() + 60
while len(os.listdir("/Volumes/c/s/meeting")) < 2:
    assert time.monotonic() < deadline
    time.sleep(0.01)
"""
    runs = [live.loop.begin(live.pool.run(live.request(source))) for _ in range(2)]
    assert [run.result(120).status for run in runs] == ["success", "success"]


def test_a_killed_worker_is_told_as_a_crash_with_its_signal(live: Bench) -> None:
    outcome = live.run("import os\nos.kill(os.getpid(), 9)")
    assert outcome.status == "crashed"
    assert "SIGKILL (9)" in str(outcome.error)


def test_a_worker_that_exits_is_told_as_a_crash_with_its_exit_code(live: Bench) -> None:
    outcome = live.run("import os\nos._exit(3)")
    assert outcome.status == "crashed"
    assert "exit code 3" in str(outcome.error)


def test_after_a_crash_the_next_task_runs(live: Bench) -> None:
    live.run("import os\nos._exit(1)")
    assert live.run("dbutils.notebook.exit('fine')").result == "fine"


def test_cancelling_kills_the_worker_and_what_it_started(live: Bench) -> None:
    request = live.request(
        "import os, subprocess, time\nchild = subprocess.Popen(['sleep', '600'])\n"
        "print(os.getpid(), child.pid, flush=True)\ntime.sleep(600)"
    )
    run = live.loop.begin(live.pool.run(request))
    until(lambda: len(live.printed(request).split()) == 2)
    pids = [int(word) for word in live.printed(request).split()]
    assert all(alive(pid) for pid in pids)
    run.cancel()
    until(lambda: not any(alive(pid) for pid in pids))


def test_output_can_be_read_while_a_cell_still_runs(live: Bench) -> None:
    request = live.request("import time\nprint('begun')\ntime.sleep(600)")
    run = live.loop.begin(live.pool.run(request))
    until(lambda: "begun" in live.printed(request))
    assert live.cells(request)[-1]["status"] == "running"
    run.cancel()


def test_a_stopped_pool_has_no_worker_left_and_can_start_again(tmp_path: Path) -> None:
    with bench(tmp_path, size=1) as made:
        source = "import os\nprint(os.getpid(), os.getppid(), flush=True)\nimport time\ntime.sleep(600)"
        request = made.request(source)
        run = made.loop.begin(made.pool.run(request))
        until(lambda: len(made.printed(request).split()) == 2)
        worker, nursery = (int(word) for word in made.printed(request).split())
        made.loop.call(made.pool.stop())
        assert (alive(worker), alive(nursery)) == (False, True)
        assert run.result(30).status == "crashed"
        made.loop.call(made.pool.start())
        assert made.run("dbutils.notebook.exit('again')").result == "again"
        made.loop.call(made.nursery.stop())
        assert not alive(nursery)


def test_a_task_has_not_started_while_it_waits_for_a_worker(live: Bench) -> None:
    """The nursery is held, so that no worker can be born."""
    pool = WorkerPool(nursery=live.nursery, size=1)
    live.loop.call(pool.start())
    nursery = int(str(live.run("import os\ndbutils.notebook.exit(os.getppid())").result))
    started = threading.Event()
    first, second = live.request("import time\nprint('begun')\ntime.sleep(600)"), live.request("x = 1")
    runs = [live.loop.begin(pool.run(first))]
    until(lambda: "begun" in live.printed(first))
    os.kill(nursery, signal.SIGSTOP)
    try:
        runs.append(live.loop.begin(pool.run(second, started.set)))
        live.loop.call(asyncio.sleep(0))
        assert not started.is_set()
    finally:
        os.kill(nursery, signal.SIGCONT)
    assert runs[1].result(60).status == "success"
    assert started.is_set()
    live.loop.call(pool.stop())


def test_a_nursery_that_was_killed_is_begun_again(tmp_path: Path) -> None:
    with bench(tmp_path, size=1) as made:
        nursery = int(str(made.run("import os\ndbutils.notebook.exit(os.getppid())").result))
        os.kill(nursery, signal.SIGKILL)
        until(lambda: not alive(nursery))
        assert made.run("dbutils.notebook.exit('fine')").result == "fine"


def test_a_nursery_that_dies_with_a_worker_on_its_way_is_begun_again(tmp_path: Path) -> None:
    """The nursery is held, so that the worker which the task waits for is never born."""
    with bench(tmp_path, size=1) as made:
        nursery = int(str(made.run("import os\ndbutils.notebook.exit(os.getppid())").result))
        os.kill(nursery, signal.SIGSTOP)
        run = made.loop.begin(made.pool.run(made.request("dbutils.notebook.exit('fine')")))
        made.loop.call(asyncio.sleep(0.05))
        os.kill(nursery, signal.SIGKILL)
        assert run.result(60).result == "fine"


_SERVER = """
import asyncio, sys
from pathlib import Path
from local_workspace.tests.live_engine import Bench
bench = Bench(Path(sys.argv[1]), size=1)
request = bench.request("import os, subprocess, time\\nchild = subprocess.Popen(['sleep', '600'])\\n"
                        "print(os.getppid(), os.getpid(), child.pid, flush=True)\\ntime.sleep(600)")
bench.loop.call(bench.pool.start())
bench.loop.call(bench.pool.run(request), 600)
"""


def test_workers_and_their_children_die_with_a_killed_server(tmp_path: Path) -> None:
    root = Path(__file__).parents[2]
    server = subprocess.Popen([sys.executable, "-c", _SERVER, str(tmp_path)], cwd=root)

    def pids() -> list[int]:
        found = list(tmp_path.glob("workspace/runs/*/stdout.txt"))
        return [int(word) for word in found[0].read_text().split()] if found else []

    try:
        until(lambda: len(pids()) == 3, deadline_s=60)
    finally:
        os.kill(server.pid, signal.SIGKILL)
        server.wait()
    until(lambda: not any(alive(pid) for pid in pids()))


_GREEDY = """
import os, time
from local_workspace.engine.process_life import start_reaper
os.setpgid(0, 0)
start_reaper(200_000_000)
hoard = bytearray(400_000_000)
time.sleep(600)
"""


def test_a_worker_that_uses_too_much_memory_is_ended_and_the_reason_is_told() -> None:
    greedy = subprocess.Popen([sys.executable, "-c", _GREEDY], cwd=Path(__file__).parents[2])
    code = greedy.wait(60)
    assert "more than half of the machine's memory" in death_in_words(-code)


def test_a_wait_status_is_put_into_words() -> None:
    assert death_in_words(0) == "ended with exit code 0"
    assert death_in_words(3 << 8) == "ended with exit code 3"
    assert death_in_words(11) == "was killed by SIGSEGV (11)"
