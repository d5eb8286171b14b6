"""Claims, pending, status, figures, probes: shapes, refusals, and a workspace that cannot do everything."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from app.api import lake_models as models
from app.services.health import Health
from app.services.replica import SoleReplica
from app.store.engine import Database, create_engine
from app.store.schema import audit
from backend.tests.support.backend import Backend, running_backend
from backend.tests.support.recorded_workspace import TOKEN, Call, Fault, RecordedWorkspace, load
from backend.tests.support.waiting import until

pytestmark = pytest.mark.usefixtures("on_both_stores")

RAW = "/Volumes/petinsure360/landing/raw"
FOLDERS = "/api/2.0/fs/directories"
FILES = "/api/2.0/fs/files"
WAREHOUSES = "/api/2.0/sql/warehouses"
STATEMENTS = "/api/2.0/sql/statements"
TABLES = "/api/2.1/unity-catalog/tables"
JOB_ID = 591500457291311
FIGURES = {
    "overview": models.Overview,
    "monthly": models.Monthly,
    "claims": models.ClaimFigures,
    "customers": models.CustomerFigures,
    "providers": models.ProviderFigures,
    "risk": models.RiskFigures,
}


@asynccontextmanager
async def served(tmp_path: Path, workspace: RecordedWorkspace) -> AsyncIterator[Backend]:
    async with workspace.serving(), running_backend(tmp_path, workspace.host, TOKEN, kind="local") as backend:
        yield backend


async def listed(backend: Backend) -> Backend:
    """Once the landing zone was listed."""

    async def told() -> bool:
        return (await pending(backend))["bronze"]["count"] is not None

    await until(told)
    return backend


@pytest.fixture
async def workspace() -> RecordedWorkspace:
    return RecordedWorkspace()


@pytest.fixture
async def backend(tmp_path: Path, workspace: RecordedWorkspace) -> AsyncIterator[Backend]:
    async with served(tmp_path, workspace) as backend:
        yield backend


def listing(*names: str, size: int = 10) -> Any:
    def contents(call: Call) -> dict[str, Any]:
        folder = call.path.removeprefix(FOLDERS)
        entries = [
            {
                "path": f"{folder}/{name.rstrip('/')}",
                "name": name.rstrip("/"),
                "is_directory": name.endswith("/"),
                "file_size": size,
                "last_modified": 1_790_000_000_000,
            }
            for name in names
        ]
        return {"contents": entries}

    return contents


async def pending(backend: Backend, **query: Any) -> dict[str, Any]:
    answer = await backend.http.get("/api/pipeline/pending", params=query)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    models.Pending.model_validate(body)
    return body


async def test_a_claim_is_landed_to_the_letter_under_its_id(backend: Backend, workspace: RecordedWorkspace) -> None:
    body = b'{"claim_id": "CLM:7",\n "claim_amount": "EUR 1.200,50", "extra": {"a": [1.50]}}'
    answer = await backend.http.post("/api/claims", content=body)
    assert (answer.status_code, answer.json()) == (201, {"claim_id": "CLM:7"})
    assert answer.headers["location"] == "/api/claims/CLM:7"
    ((path, content),) = workspace.files.items()
    assert path.startswith(f"{RAW}/claims/api/CLM:7/")
    assert path.endswith(".json")
    assert (content if isinstance(content, bytes) else json.dumps(content).encode()).count(b"\n") <= 1
    assert b'"EUR 1.200,50", "extra": {"a": [1.50]}' in content


async def test_a_corrected_claim_is_a_second_file(backend: Backend, workspace: RecordedWorkspace) -> None:
    await listed(backend)
    for amount in ("1", "2"):
        await backend.http.post("/api/claims", json={"claim_id": "C-1", "claim_amount": amount})
    assert len(workspace.files) == 2
    assert (await pending(backend))["bronze"] == {"count": 1, "claim_ids": ["C-1"], "files": 0}


async def test_a_claim_without_an_id_gets_one(backend: Backend) -> None:
    claim_id = (await backend.http.post("/api/claims", json={"claim_amount": "-5"})).json()["claim_id"]
    place = (await backend.http.get(f"/api/claims/{claim_id}")).json()
    models.ClaimPlace.model_validate(place)
    assert place["layers"]["bronze"]["waiting"] is True
    assert place["layers"]["bronze"]["landed_at"] is not None


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"{", 400, "broken_json"),
        (b"[]", 422, "invalid_request"),
        (b'{"claim_id": "a b"}', 422, "invalid_claim_ids"),
        (b'{"claim_id": ""}', 422, "invalid_claim_ids"),
        (b'{"x": "' + b"y" * 1_100_000 + b'"}', 413, "body_too_large"),
    ],
)
async def test_a_bad_claim_is_refused_and_lands_nothing(
    backend: Backend, workspace: RecordedWorkspace, body: bytes, status: int, code: str
) -> None:
    answer = await backend.http.post("/api/claims", content=body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert set(answer.json()) == {"code", "message", "details"}
    assert workspace.files == {}


async def test_a_claim_that_the_workspace_did_not_take_is_not_said_to_be_landed(tmp_path: Path) -> None:
    async with running_backend(tmp_path, "http://127.0.0.1:1", TOKEN, kind="local") as backend:
        answer = await backend.http.post("/api/claims", json={"claim_id": "C-1"})
        assert (answer.status_code, answer.json()["code"]) == (503, "workspace_unreachable")
        assert (await backend.http.get("/api/claims/C-1")).status_code == 404


async def test_landing_is_audited_and_told(backend: Backend) -> None:
    await backend.http.post("/api/claims", json={"claim_id": "C-1"})
    async with backend.app.state.database.read() as db:
        (line,) = (await db.execute(select(audit).where(audit.c.action == "land_claim"))).all()
    assert (line.who, line.subject) == ("local", "C-1")
    told = await backend.until_event("lake_updated")
    assert told["data"] == {"run_id": None, "layers": ["bronze"], "as_of": None}


async def test_an_unknown_and_a_malformed_claim_are_told_apart(backend: Backend) -> None:
    unknown = await backend.http.get("/api/claims/C-404")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "claim_not_found")
    malformed = await backend.http.get("/api/claims/.hidden")
    assert (malformed.status_code, malformed.json()["code"]) == (422, "invalid_claim_ids")


async def test_files_that_others_landed_are_listed_and_counted(backend: Backend, workspace: RecordedWorkspace) -> None:
    workspace.more |= {
        f"{FOLDERS}{RAW}": listing("claims/", "customers/", "notes/", "README.txt", "_scratch/"),
        f"{FOLDERS}{RAW}/claims": listing("claims_2026-10-01.jsonl", ".part.jsonl", "api/", "picture.png"),
        f"{FOLDERS}{RAW}/customers": listing("customers.csv"),
        f"{FOLDERS}{RAW}/notes": listing("any.csv"),
        f"{FOLDERS}{RAW}/claims/api": listing("C-9/"),
        f"{FOLDERS}{RAW}/claims/api/C-9": listing("a.json"),
    }

    async def seen() -> bool:
        return (await pending(backend))["bronze"] == {"count": 1, "claim_ids": ["C-9"], "files": 2}

    await until(seen)

    async def listed_again() -> bool:
        await pending(backend)
        return len(workspace.sent(f"{FOLDERS}{RAW}/claims/api")) > 1

    await until(listed_again)
    opened = len(workspace.sent(f"{FOLDERS}{RAW}/claims/api/C-9"))
    assert opened == 1  # what the API landed never changes, so it is not opened again
    assert workspace.sent(f"{FOLDERS}{RAW}/_scratch") == []


async def test_what_waits_is_unknown_until_the_landing_zone_was_listed(
    tmp_path: Path, workspace: RecordedWorkspace
) -> None:
    workspace.faults[f"{FOLDERS}{RAW}"] += [Fault(503)] * 3
    async with served(tmp_path, workspace) as backend:
        await backend.http.post("/api/claims", json={"claim_id": "C-1"})
        while workspace.faults[f"{FOLDERS}{RAW}"]:
            status = (await backend.http.get("/api/pipeline/status")).json()
            models.Status.model_validate(status)
            if workspace.faults[f"{FOLDERS}{RAW}"]:
                assert {name: layer["pending"] for name, layer in status["layers"].items()}["bronze"] is None
                preview = await backend.http.get("/api/pipeline/preview", params={"layer": "bronze"})
                assert preview.json()["claims"] is None
        assert (await pending(await listed(backend)))["bronze"]["count"] == 1


async def test_pending_claims_are_paged(backend: Backend) -> None:
    await listed(backend)
    for number in range(5):
        await backend.http.post("/api/claims", json={"claim_id": f"C-{number}"})
    seen: list[str] = []
    token: dict[str, str] = {}
    for _ in range(3):
        page = await pending(backend, layer="bronze", limit=2, **token)
        assert page["bronze"]["count"] == 5
        seen += page["bronze"]["claim_ids"]
        token = {"page_token": page["next_page_token"]} if "next_page_token" in page else {}
    assert seen == [f"C-{number}" for number in range(5)]
    assert token == {}


@pytest.mark.parametrize("query", ["layer=platinum", "limit=0", "limit=10001", "page_token=garbage", "page_token=e30x"])
async def test_a_bad_question_about_pending_is_refused(backend: Backend, query: str) -> None:
    answer = await backend.http.get(f"/api/pipeline/pending?{query}")
    assert answer.status_code == 422
    assert set(answer.json()) == {"code", "message", "details"}


async def test_before_any_run_the_status_is_empty_and_says_so(backend: Backend) -> None:
    status = (await backend.http.get("/api/pipeline/status")).json()
    models.Status.model_validate(status)
    for layer in status["layers"].values():
        assert layer | {"pending": None} == {
            "state": None, "result": None, "last_run_id": None, "updated_at": None, "tables": [], "pending": None,
        }  # fmt: skip
    assert status["workspace"]["kind"] == "local"


async def test_opening_pages_asks_the_workspace_for_no_sql(backend: Backend, workspace: RecordedWorkspace) -> None:
    for path in ("pipeline/status", "pipeline/pending", *(f"insights/{name}" for name in FIGURES)):
        assert (await backend.http.get(f"/api/{path}")).status_code == 200
    assert workspace.sent(STATEMENTS) == []
    assert workspace.sent(WAREHOUSES) == []


@pytest.mark.parametrize("name", FIGURES)
async def test_figures_before_the_first_gold_run_are_empty_and_cacheable(backend: Backend, name: str) -> None:
    answer = await backend.http.get(f"/api/insights/{name}")
    FIGURES[name].model_validate(answer.json())
    assert answer.json()["as_of"] is None
    again = await backend.http.get(f"/api/insights/{name}", headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    other = await backend.http.get(f"/api/insights/{name}", headers={"If-None-Match": '"something else"'})
    assert other.status_code == 200


async def test_the_definitions_are_the_text_of_the_documentation(backend: Backend) -> None:
    answer = (await backend.http.get("/api/insights/definitions")).json()
    page = Path(__file__).parents[3] / "docs" / "kpis.md"
    assert answer == {"format": "markdown", "text": page.read_text(encoding="utf-8")}


async def test_the_figures_are_in_the_openapi_document(backend: Backend) -> None:
    document = (await backend.http.get("/api/openapi.json")).json()
    for name, model in FIGURES.items():
        answer = document["paths"][f"/api/insights/{name}"]["get"]["responses"]["200"]
        assert answer["content"]["application/json"]["schema"]["$ref"].endswith(f"/{model.__name__}")
    assert "LakeUpdatedEvent" in document["components"]["schemas"]


async def test_without_a_warehouse_the_status_says_so_and_keeps_what_runs_tell(tmp_path: Path) -> None:
    workspace = RecordedWorkspace()
    workspace.more |= {
        WAREHOUSES: lambda _call: {"warehouses": []},
        TABLES: lambda call: {"tables": [{"name": "claims"}] if call.query["schema_name"] == "bronze" else []},
    }
    async with served(tmp_path, workspace) as backend:

        async def told() -> bool:
            return bool((await backend.http.get("/api/pipeline/status")).json()["lake"]["refreshed_at"])

        await until(told)
        status = (await backend.http.get("/api/pipeline/status")).json()
        assert "DATABRICKS_WAREHOUSE_ID" in status["lake"]["detail"]
        assert status["layers"]["bronze"]["tables"] == []


async def test_a_run_whose_notebooks_tell_nothing_is_asked_about_through_sql(tmp_path: Path) -> None:
    """A job made by somebody else: its notebooks exit with anything, so counts and versions are asked for."""

    made: list[dict[str, Any]] = []

    def answer(call: Call) -> dict[str, Any]:
        statement, columns, rows = call.body["statement"], ["claim_id"], [["C-1"]]
        assert call.body["catalog"] == "petinsure360"
        if statement.startswith("DESCRIBE HISTORY"):
            columns, rows = ["timestamp", "version"], [["2026-11-01", "4"]]
        elif "count(*) AS n" in statement:
            columns, rows = ["name", "n"], [["silver.claims", "12"]]
        elif statement.startswith("SELECT claim_id, _run_id"):
            columns, rows = ["claim_id", "_run_id"], [["C-1", "77"]]
        schema = {"columns": [{"name": name, "type_name": "STRING"} for name in columns]}
        return {
            "statement_id": "s",
            "status": {"state": "SUCCEEDED"},
            "manifest": {"schema": schema},
            "result": {"data_array": rows},
        }

    workspace = RecordedWorkspace()
    workspace.has_job(load("job_of_somebody_else"))
    workspace.next_run_shows("run_of_somebody_else")
    workspace.outputs = {task: {"notebook_output": {"result": "done"}} for task in workspace.outputs}
    workspace.more |= {
        WAREHOUSES: lambda _call: {"warehouses": [{"id": "w-1", "state": "STOPPED"}]},
        STATEMENTS: answer,
        TABLES: lambda call: {"tables": made if call.query["schema_name"] == "silver" else []},
    }
    async with (
        workspace.serving(),
        running_backend(tmp_path, workspace.host, TOKEN, kind="local", databricks_job_id=JOB_ID) as backend,
    ):

        async def read(newest: int | None) -> bool:
            lake = (await backend.http.get("/api/pipeline/status")).json()["lake"]
            return bool(lake["refreshed_at"] and lake["run_id"] == newest)

        await until(lambda: read(None))
        run_id = (await backend.trigger("all"))["run_id"]
        made.append({"name": "claims"})
        for _ in range(5):
            workspace.advance(run_id)
        await backend.ended(run_id)
        await until(lambda: read(run_id))
        status = (await backend.http.get("/api/pipeline/status")).json()
        assert status["layers"]["silver"]["tables"] == [
            {"name": "petinsure360.silver.claims", "rows": 12, "version": 4}
        ]
        place = (await backend.http.get("/api/claims/C-1")).json()
        assert place["layers"]["silver"] == {"present": True, "run_id": 77, "at": None}
        assert (await pending(backend))["gold"] == {"count": 1, "claim_ids": ["C-1"]}


async def test_an_outage_postpones_the_reading_and_loses_nothing(tmp_path: Path) -> None:
    workspace = RecordedWorkspace()
    workspace.faults[TABLES].append(Fault(503))
    workspace.more[TABLES] = lambda _call: {}
    async with served(tmp_path, workspace) as backend:

        async def read() -> bool:
            return bool((await backend.http.get("/api/pipeline/status")).json()["lake"]["refreshed_at"])

        await until(read)
    assert len(workspace.sent(TABLES)) >= 4


async def test_probes_tell_the_parts_apart(backend: Backend) -> None:
    assert (await backend.http.get("/api/health/live")).json() == {"status": "ok"}

    async def workspace_ok() -> bool:
        return bool((await backend.http.get("/api/health/ready")).json()["checks"]["workspace"]["ok"])

    await until(workspace_ok)
    answer = await backend.http.get("/api/health/ready")
    assert (answer.status_code, answer.json()["status"]) == (200, "ready")
    assert {name: check["ok"] for name, check in answer.json()["checks"].items()} == dict.fromkeys(
        ("store", "workspace", "poller", "lag", "submissions"), True
    )


async def test_an_unreachable_store_makes_the_server_not_ready(tmp_path: Path, backend: Backend) -> None:
    state = backend.app.state
    unreachable = Database(create_engine(f"sqlite:///{tmp_path / 'no such folder' / 'store.db'}"))
    state.health = Health(
        database=unreachable,
        hub=state.hub,
        workspace=state.current,
        replica=SoleReplica(),
        poller=state.tracker,
        metrics=state.metrics,
        clock=state.clock,
    )
    answer = await backend.http.get("/api/health/ready")
    assert (answer.status_code, answer.json()["status"]) == (503, "not_ready")
    store = answer.json()["checks"]["store"]
    assert (store["ok"], store["state"]) == (False, "unusable")
    await unreachable.dispose()


async def test_metrics_count_calls_to_the_workspace(backend: Backend, workspace: RecordedWorkspace) -> None:
    await backend.http.post("/api/claims", json={"claim_id": "C-1"})
    answer = await backend.http.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    assert 'petinsure_workspace_calls_total{endpoint="PUT /api/2.0/fs/files",outcome="ok"} 1.0' in answer.text
    assert "petinsure_submissions_in_doubt 0.0" in answer.text
    assert "petinsure_stream_backlog_events 0.0" in answer.text
