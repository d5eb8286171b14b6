"""The settings of a session, asked for once: pyspark-client 4.2 asks for the same few at every collect and
createDataFrame."""

from __future__ import annotations

from typing import Any

_READ = ("get", "get_with_default", "get_option")


def remember_settings(client: Any) -> None:
    """Answer what a Spark Connect client has asked before from memory, until it sets something.

    Settings belong to the session, and nobody but its client sets them; `SET` in SQL has to come through it as well.
    """
    ask = client.config
    known: dict[bytes, Any] = {}

    def config(operation: Any) -> Any:
        nonlocal known
        if operation.WhichOneof("op_type") not in _READ:
            try:
                return ask(operation)
            finally:
                known = {}
        memory = known  # of the time of the question: one that is put while something is set leaves its answer there
        question = operation.SerializeToString(deterministic=True)
        if question not in memory:
            memory[question] = ask(operation)
        return memory[question]

    client.config = config
