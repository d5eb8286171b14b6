"""Clusters API 2.0 and 2.1: clusters are pools of warm workers on this machine."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from local_workspace.api.http import ApiError, answer, arguments, boolean, integer, invalid, text
from local_workspace.compute.cluster import Cluster
from local_workspace.compute.clusters import Clusters, UnknownCluster
from local_workspace.store.clusters import ClusterStore

_NODE_TYPE = "local"
_SPARK_VERSIONS = (
    {"key": "17.3.x-scala2.13", "name": "17.3 LTS (Spark Connect; the local workspace runs its own engine)"},
    {"key": "16.4.x-scala2.12", "name": "16.4 LTS (Spark Connect; the local workspace runs its own engine)"},
)
_READ_ONLY = frozenset({"cluster_id", "state", "apply_policy_default_values", "clone_from", "idempotency_token"})
_MOST_EVENTS = 500

Handler = Callable[[Request], Awaitable[Response]]


class ClustersApi:
    """The handlers, over the registry of clusters."""

    def __init__(
        self, clusters: Clusters, events: ClusterStore, *, user_name: str, autotermination_minutes: int
    ) -> None:
        self._clusters = clusters
        self._events = events
        self._user_name = user_name
        self._autotermination_minutes = autotermination_minutes

    async def create(self, request: Request) -> Response:
        cluster = self._clusters.create(self._spec(await arguments(request)))
        return answer({"cluster_id": cluster.record.cluster_id})

    async def get(self, request: Request) -> Response:
        return answer(self._json(await self._named(request)))

    async def list(self, _request: Request) -> Response:
        listed = [self._json(cluster) for cluster in self._clusters.all()]
        return answer({"clusters": listed[::-1]} if listed else {})

    async def start(self, request: Request) -> Response:
        cluster = await self._named(request)
        _expect(cluster, "TERMINATED")
        cluster.start()
        return answer()

    async def restart(self, request: Request) -> Response:
        cluster = await self._named(request)
        _expect(cluster, "RUNNING")
        cluster.restart()
        return answer()

    async def terminate(self, request: Request) -> Response:
        """Asynchronous and idempotent: the state is TERMINATING when this answers, unless it is over already."""
        cluster = await self._named(request)
        if cluster.record.state not in ("TERMINATED", "TERMINATING"):
            cluster.begin_termination("USER_REQUEST", {"username": self._user_name})
        return answer()

    async def permanent_delete(self, request: Request) -> Response:
        cluster = await self._named(request)
        await self._clusters.delete(cluster.record.cluster_id)
        return answer()

    async def edit(self, request: Request) -> Response:
        values = await arguments(request)
        cluster = self._existing(values)
        _expect(cluster, "RUNNING", "TERMINATED")
        self._clusters.edit(cluster.record.cluster_id, self._spec(values))
        return answer()

    async def events(self, request: Request) -> Response:
        values = await arguments(request)
        cluster = self._existing(values)
        offset = integer(values, "page_token") if values.get("page_token") else integer(values, "offset", 0)
        limit = min(integer(values, "limit", 50) or 50, _MOST_EVENTS)
        newest_first = text(values, "order", "DESC") != "ASC"
        cluster_id = cluster.record.cluster_id
        rows, total = self._events.events(cluster_id, newest_first=newest_first, offset=offset, limit=limit)
        told: dict[str, Any] = {"events": rows, "total_count": total}
        if offset + len(rows) < total:
            told["next_page_token"] = str(offset + len(rows))
            told["next_page"] = {"cluster_id": cluster_id, "offset": offset + len(rows), "limit": limit}
        return answer(told)

    async def node_types(self, _request: Request) -> Response:
        return answer({"node_types": [_node_type()]})

    async def spark_versions(self, _request: Request) -> Response:
        return answer({"versions": list(_SPARK_VERSIONS)})

    async def zones(self, _request: Request) -> Response:
        return answer({"zones": ["local"], "default_zone": "local"})

    def _existing(self, values: dict[str, Any]) -> Cluster:
        try:
            return self._clusters.get(text(values, "cluster_id"))
        except UnknownCluster as fault:
            raise invalid(str(fault)) from fault

    async def _named(self, request: Request) -> Cluster:
        return self._existing(await arguments(request))

    def _spec(self, values: dict[str, Any]) -> dict[str, Any]:
        """A cluster's specification, completed. Raises: ApiError."""
        spec = {name: value for name, value in values.items() if name not in _READ_ONLY and value is not None}
        minutes = integer(values, "autotermination_minutes", self._autotermination_minutes)
        if minutes != 0 and not 1 <= minutes <= 10_000:
            raise invalid(f"autotermination_minutes must be 0 (never) or between 1 and 10000; got {minutes}.")
        boolean(values, "is_single_node")
        spec["autotermination_minutes"] = minutes
        spec["cluster_name"] = text(values, "cluster_name", "")
        spec.setdefault("spark_version", _SPARK_VERSIONS[0]["key"])
        spec.setdefault("node_type_id", _NODE_TYPE)
        spec.setdefault("num_workers", 0)
        return spec

    def _json(self, cluster: Cluster) -> dict[str, Any]:
        record = cluster.record
        told = record.spec | {
            "cluster_id": record.cluster_id,
            "cluster_source": record.source,
            "creator_user_name": self._user_name,
            "state": record.state,
            "state_message": record.state_message,
            "start_time": record.start_time or record.created,
            "last_activity_time": record.last_activity_time,
            "cluster_cores": os.cpu_count() or 1,
            "default_tags": {
                "Vendor": "Databricks",
                "Creator": self._user_name,
                "ClusterName": record.spec.get("cluster_name", ""),
                "ClusterId": record.cluster_id,
            },
        }
        told |= {"spark_context_id": record.spark_context_id} if record.spark_context_id else {}
        if record.state == "TERMINATED" and record.terminated_time:
            told |= {"terminated_time": record.terminated_time, "last_state_loss_time": record.terminated_time}
        if record.state in ("TERMINATED", "TERMINATING") and record.termination_reason:
            told["termination_reason"] = record.termination_reason
        return told


def routes(api: ClustersApi) -> list[Route]:
    calls: list[tuple[str, Handler, list[str]]] = [
        ("create", api.create, ["POST"]),
        ("get", api.get, ["GET"]),
        ("list", api.list, ["GET"]),
        ("start", api.start, ["POST"]),
        ("restart", api.restart, ["POST"]),
        ("delete", api.terminate, ["POST"]),
        ("permanent-delete", api.permanent_delete, ["POST"]),
        ("edit", api.edit, ["POST"]),
        ("events", api.events, ["POST", "GET"]),
        ("list-node-types", api.node_types, ["GET"]),
        ("spark-versions", api.spark_versions, ["GET"]),
        ("list-zones", api.zones, ["GET"]),
    ]
    return [
        Route(f"/api/{version}/clusters/{name}", handler, methods=methods)
        for version in ("2.0", "2.1")
        for name, handler, methods in calls
    ]


def _expect(cluster: Cluster, *states: str) -> None:
    record = cluster.record
    if record.state not in states:
        message = f"Cluster {record.cluster_id} is in unexpected state {record.state.capitalize()}."
        raise ApiError(400, "INVALID_STATE", message)


def _node_type() -> dict[str, Any]:
    memory_mb = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 1024**2
    return {
        "node_type_id": _NODE_TYPE,
        "memory_mb": memory_mb,
        "num_cores": float(os.cpu_count() or 1),
        "description": "This machine",
        "instance_type_id": _NODE_TYPE,
        "category": "General Purpose",
        "is_deprecated": False,
    }
