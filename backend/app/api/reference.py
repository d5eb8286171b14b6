"""The API reference at /api/docs: a page of our own around Swagger UI, whose files come with the built dashboard."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

router = APIRouter(include_in_schema=False)

# Nothing inline and nothing from elsewhere: it works offline, and under the same content security policy as every page.
# What stands in the frame is seen until the files have drawn over it, also when the dashboard was not built.
PAGE = """<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>API reference · PetInsure360</title>
    <link rel="icon" href="/favicon.svg" type="image/svg+xml">
    <link rel="stylesheet" href="/api-docs/swagger-ui.css">
    <link rel="stylesheet" href="/api-docs/page.css">
  </head>
  <body>
    <header><a href="/">PetInsure360</a> API reference</header>
    <main id="reference">
      <p>The API is described in <a href="/api/openapi.json">openapi.json</a>.</p>
    </main>
    <script src="/api-docs/swagger-ui-bundle.js"></script>
    <script src="/api-docs/init.js"></script>
  </body>
</html>
"""


@router.get("/api/docs")
async def reference() -> HTMLResponse:
    return HTMLResponse(PAGE)
