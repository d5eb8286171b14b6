"""The fault switchboard: rules are set, counted and cleared here. Nothing goes wrong unless somebody asks for it."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from local_workspace.api.http import answer, arguments, invalid, missing
from local_workspace.faults.calls import NAMES
from local_workspace.faults.kinds import KINDS
from local_workspace.faults.presets import presets
from local_workspace.faults.rules import BadRules, Rule, parse_rules
from local_workspace.faults.switchboard import Switchboard

# What the pages of people show; it needs no token and tells no more than they do.
NOTICE_PATH = "/api/local/faults/notice"


def routes(switchboard: Switchboard) -> list[Route]:
    """GET lists, PUT replaces, POST adds, DELETE clears all rules or the one of `id`."""

    async def listed(_request: Request) -> Response:
        return answer(_report(switchboard))

    async def replaced(request: Request) -> Response:
        switchboard.replace(await _rules(request))
        return answer(_report(switchboard))

    async def added(request: Request) -> Response:
        rules = await _rules(request)
        try:
            switchboard.add(rules)
        except BadRules as fault:
            raise invalid(str(fault)) from fault
        return answer(_report(switchboard))

    async def cleared(request: Request) -> Response:
        rule_id = request.query_params.get("id")
        if rule_id is None:
            switchboard.replace([])
        elif not switchboard.remove(rule_id):
            raise missing(f"There is no fault {rule_id[:40]!r}.")
        return answer(_report(switchboard))

    async def notice(_request: Request) -> Response:
        told = [f"{armed.rule.kind} ({armed.rule.call})" for armed in switchboard.rules if armed.active]
        return answer({"active": told})

    path = "/api/local/faults"
    return [
        Route(path, listed, methods=["GET"]),
        Route(path, replaced, methods=["PUT"]),
        Route(path, added, methods=["POST"]),
        Route(path, cleared, methods=["DELETE"]),
        Route(NOTICE_PATH, notice, methods=["GET"]),
    ]


async def _rules(request: Request) -> list[Rule]:
    given = await arguments(request)
    if "rules" not in given:
        raise invalid('The body must be {"rules": [...]}.')
    try:
        return parse_rules(given["rules"])
    except BadRules as fault:
        raise invalid(str(fault)) from fault


def _report(switchboard: Switchboard) -> dict[str, Any]:
    return {
        "rules": [armed.document() for armed in switchboard.rules],
        "presets": presets(),
        "kinds": {name: kind.document() for name, kind in KINDS.items()},
        "calls": NAMES,
    }
