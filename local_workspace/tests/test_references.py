"""Dynamic value references."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local_workspace.runs.references import BadReference, Scope, UpstreamTask, check, resolve

BRONZE = UpstreamTask(31, "SUCCESS", None, 2, {"rows": 3, "name": "claims", "nested": {"a": [1]}})
SCOPE = Scope(
    job_id=7, job_name="pipeline", run_id=9, start_time_ms=1_763_884_805_678, repair_count=1, trigger="ONE_TIME",
    workspace_id="42", workspace_url="http://127.0.0.1:1", parameters={"catalog": "c", "a.b": "dotted"},
    task={"name": "silver", "run_id": "32", "execution_count": "1", "retry_count": "0", "notebook_path": "/nb"},
    tasks={"bronze": BRONZE, "odd.name": BRONZE},
)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{{job.id}}/{{job.name}}/{{job.run_id}}/{{job.repair_count}}", "7/pipeline/9/1"),
        ("{{ job.start_time.iso_date }}", "2025-11-23"),
        ("{{job.start_time.iso_datetime}}", "2025-11-23T08:00:05Z"),
        ("{{job.start_time.timestamp_ms}}", "1763884805678"),
        ("{{job.start_time.year}}-{{job.start_time.month}}-{{job.start_time.day}}", "2025-11-23"),
        ("{{job.start_time.iso_weekday}} {{job.start_time.is_weekday}}", "7 false"),
        ("{{job.parameters.catalog}}.{{job.parameters.a.b}}", "c.dotted"),
        ("{{job.trigger.type}}", "one_time"),
        ("{{task.name}} {{task.run_id}} {{task.execution_count}} {{task.notebook_path}}", "silver 32 1 /nb"),
        ("{{tasks.bronze.run_id}} {{tasks.bronze.result_state}} {{tasks.bronze.execution_count}}", "31 success 2"),
        ("{{tasks.bronze.values.rows}} {{tasks.bronze.values.name}}", "3 claims"),
        ("{{tasks.`odd.name`.values.nested}}", '{"a": [1]}'),
        ("{{workspace.id}} {{workspace.url}}", "42 http://127.0.0.1:1"),
        ("{{job_id}} {{run_id}} {{parent_run_id}} {{task_key}} {{start_date}}", "7 32 9 silver 2025-11-23"),
        ("{{task_retry_count}}", "0"),
        ("{{unknown.thing}} {{}} {{job.id}", "{{unknown.thing}} {{}} {{job.id}"),
    ],
)
def test_a_reference_becomes_its_value(text: str, value: str) -> None:
    assert resolve(text, SCOPE) == value


def test_a_task_value_that_was_never_set_is_an_error() -> None:
    with pytest.raises(BadReference, match="no task value 'nix'"):
        resolve("{{tasks.bronze.values.nix}}", SCOPE)


@pytest.mark.parametrize("text", ["{{job.naem}}", "{{task.values.x}}", "{{tasks.a.state}}", "{{job.start_time.now}}"])
def test_an_unknown_name_in_a_known_namespace_is_refused(text: str) -> None:
    with pytest.raises(BadReference):
        check(text)


@pytest.mark.parametrize("text", ["{{nix.naem}}", "{{job.id}}", "{{ tasks.a.values.k }}", "{{run_id}}", "{{job.id}"])
def test_what_is_known_or_belongs_to_nobody_is_accepted(text: str) -> None:
    check(text)


@given(st.text(alphabet=st.characters(exclude_characters="{}")))
def test_text_without_references_stays_as_it_is(text: str) -> None:
    assert resolve(text, SCOPE) == text


@given(st.recursive(st.integers() | st.text(), lambda inner: st.lists(inner, max_size=3), max_leaves=5))
def test_no_value_is_resolved_twice(value: Any) -> None:
    scope = Scope(
        7, "n", 9, 0, 0, "ONE_TIME", "42", "u", tasks={"t": UpstreamTask(1, "SUCCESS", None, 1, {"k": value})}
    )
    expected = value if isinstance(value, str) else resolve("{{tasks.t.values.k}}", scope)
    assert resolve("{{tasks.t.values.k}}", scope) == expected
