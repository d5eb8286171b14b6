"""Who the caller is, and what a client wants to know before its first call."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from local_workspace.api.http import answer, invalid


@dataclass(frozen=True, slots=True)
class Identity:
    """The workspace's only user, who owns everything in it."""

    user_name: str
    workspace_id: str
    host: str


_USER_ID = "1"
_PERMISSIONS = {
    "jobs": ("CAN_VIEW", "CAN_MANAGE_RUN", "CAN_MANAGE", "IS_OWNER"),
    "clusters": ("CAN_ATTACH_TO", "CAN_RESTART", "CAN_MANAGE"),
}


def routes(identity: Identity) -> list[Route]:
    """Well-known configuration, SCIM Me, health, and permissions that say that the user owns everything."""

    async def well_known(_request: Request) -> Response:
        return answer({"oidc_endpoint": f"{identity.host}/oidc", "workspace_id": identity.workspace_id})

    async def health(_request: Request) -> Response:
        return answer({"status": "ok", "workspace_id": identity.workspace_id})

    async def me(_request: Request) -> Response:
        return answer(_scim_user(identity.user_name))

    async def permissions(request: Request) -> Response:
        kind, object_id = request.path_params["kind"], request.path_params["object_id"]
        return answer(_permissions(identity.user_name, _known(kind), object_id))

    async def levels(request: Request) -> Response:
        kind = _known(request.path_params["kind"])
        return answer({"permission_levels": [{"permission_level": level} for level in _PERMISSIONS[kind]]})

    async def telemetry(_request: Request) -> Response:
        return answer({"errors": [], "numProtoSuccess": 1})

    return [
        Route("/.well-known/databricks-config", well_known),
        Route("/api/local/health", health),
        Route("/api/2.0/preview/scim/v2/Me", me),
        Route("/api/2.0/permissions/{kind}/{object_id}", permissions, methods=["GET", "PUT", "PATCH"]),
        Route("/api/2.0/permissions/{kind}/{object_id}/permissionLevels", levels),
        Route("/telemetry-ext", telemetry, methods=["POST"]),
    ]


def _scim_user(user_name: str) -> dict[str, Any]:
    return {
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "id": _USER_ID,
        "userName": user_name,
        "displayName": user_name.partition("@")[0],
        "active": True,
        "emails": [{"value": user_name, "type": "work", "primary": True}],
        "groups": [{"display": "admins", "value": "admins", "type": "direct"}],
    }


def _known(kind: str) -> str:
    if kind not in _PERMISSIONS:
        raise invalid(f"Permissions are kept for {', '.join(sorted(_PERMISSIONS))}; got {kind!r}.")
    return kind


def _permissions(user_name: str, kind: str, object_id: str) -> dict[str, Any]:
    highest = _PERMISSIONS[kind][-1]
    control = {"user_name": user_name, "all_permissions": [{"permission_level": highest, "inherited": False}]}
    return {
        "object_id": f"/{kind}/{object_id}",
        "object_type": kind.removesuffix("s"),
        "access_control_list": [control],
    }
