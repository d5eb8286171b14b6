"""docs/openapi.json is what the code says; `cd backend && python -m app.openapi` writes it anew."""

from __future__ import annotations

from app.openapi import TARGET, document


def test_the_written_document_is_the_codes_own() -> None:
    assert TARGET.read_text() == document()
