"""Every failure leaves in the Databricks form, whatever its origin."""

from __future__ import annotations

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from local_workspace.api.http import ApiError, refuse, unsupported

log = structlog.get_logger(__name__)

# Databricks calls that exist there and not here. Said as such, so that nobody hunts for a spelling mistake.
_UNSUPPORTED = (
    "/api/2.0/accounts/", "/api/2.0/apps", "/api/2.0/git-credentials", "/api/2.0/global-init-scripts",
    "/api/2.0/instance-pools/", "/api/2.0/instance-profiles/", "/api/2.0/ip-access-lists", "/api/2.0/lakeview/",
    "/api/2.0/genie/", "/api/2.0/libraries/", "/api/2.0/mlflow/", "/api/2.1/mlflow/", "/api/2.0/permissions/",
    "/api/2.0/pipelines", "/api/2.0/policies/", "/api/2.0/preview/", "/api/2.0/repos", "/api/2.0/secrets/",
    "/api/2.0/serving-endpoints", "/api/2.0/sql/", "/api/2.0/token/", "/api/2.0/token-management/",
    "/api/2.0/tokens/", "/api/2.0/vector-search/", "/api/2.0/workspace-conf", "/api/2.0/notification-destinations",
    "/api/2.0/jobs/", "/api/2.1/jobs/", "/api/2.2/jobs/", "/api/2.0/clusters/", "/api/2.1/clusters/",
    "/api/2.0/contexts/", "/api/1.2/", "/api/2.1/unity-catalog/", "/api/2.0/database/", "/api/2.0/dbfs/",
    "/api/2.0/workspace/", "/oidc/",
)  # fmt: skip


async def refused(_request: Request, fault: Exception) -> Response:
    assert isinstance(fault, ApiError)
    return refuse(fault)


async def no_route(request: Request, fault: Exception) -> Response:
    """404 or 405 of the router: no such call, or a Databricks call that this workspace does not have."""
    assert isinstance(fault, HTTPException)
    call = f"{request.method} {request.url.path}"
    if fault.status_code not in (404, 405):
        return refuse(ApiError(fault.status_code, "BAD_REQUEST", str(fault.detail)))
    if request.url.path.startswith(_UNSUPPORTED):
        return refuse(unsupported(f"The call '{call}'"))
    return refuse(ApiError(404, "ENDPOINT_NOT_FOUND", f"No API found for '{call}'"))


async def failed(request: Request, fault: Exception) -> Response:
    """A fault of ours: logged with its trace, told without it."""
    log.error("request_failed", method=request.method, path=request.url.path, exc_info=fault)
    return refuse(ApiError(500, "INTERNAL_ERROR", f"The local workspace failed: {type(fault).__name__}."))


HANDLERS = {ApiError: refused, HTTPException: no_route, Exception: failed}
