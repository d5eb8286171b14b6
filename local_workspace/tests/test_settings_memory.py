"""What a session was told of its settings, until it sets one."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from pyspark.sql.connect.proto import ConfigRequest, KeyValue

from local_workspace.engine.settings_memory import remember_settings

Operation = ConfigRequest.Operation
ZONE = "spark.sql.session.timeZone"


class Asked:
    """A client whose engine has one setting, and notes each question."""

    def __init__(self) -> None:
        self.value, self.questions = "UTC", 0
        self.client: Any = SimpleNamespace(config=self.config)
        self.while_setting: list[str] = []
        remember_settings(self.client)

    def config(self, operation: Any) -> str:
        if operation.HasField("set"):
            self.while_setting.append(self.get())
            self.value = operation.set.pairs[0].value
            return ""
        self.questions += 1
        return self.value

    def get(self, key: str = ZONE) -> str:
        return str(self.client.config(Operation(get=ConfigRequest.Get(keys=[key]))))

    def set(self, value: str) -> None:
        self.client.config(Operation(set=ConfigRequest.Set(pairs=[KeyValue(key=ZONE, value=value)])))


@pytest.fixture
def asked() -> Asked:
    return Asked()


def test_the_same_question_is_asked_once_and_another_by_itself(asked: Asked) -> None:
    assert [asked.get(), asked.get(), asked.get("another")] == ["UTC"] * 3
    assert asked.questions == 2


def test_what_is_set_is_asked_for_again(asked: Asked) -> None:
    asked.get()
    asked.set("Europe/Berlin")
    assert asked.get() == "Europe/Berlin"
    assert asked.questions == 2


def test_an_answer_of_the_time_before_a_set_is_not_kept(asked: Asked) -> None:
    asked.set("Europe/Berlin")
    assert asked.while_setting == ["UTC"]
    assert asked.get() == "Europe/Berlin"
