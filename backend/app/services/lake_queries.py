"""The statements that read the lake. Constants: values travel as parameters, the catalog beside the statement.

"Pending" is what the notebooks mean by it: `notebooks/medallion/pending.py` for silver, `release.py` for gold.
"""

from __future__ import annotations

from app.domain.layers import LAYER_TABLES, Layer

TABLES = tuple(f"{layer.value}.{table}" for layer, tables in LAYER_TABLES.items() for table in tables)

# One row per claim: which run wrote it. Bronze keeps every version; the last landed one counts.
ALL_POSITIONS = {
    "bronze": "SELECT claim_id, max_by(_run_id, _landed_at) FROM bronze.claims GROUP BY claim_id",
    "silver": "SELECT claim_id, _run_id FROM silver.claims",
    "gold": "SELECT claim_id, _run_id FROM gold.claims_analytics",
}
POSITIONS_OF_RUN = {
    "bronze": "SELECT DISTINCT claim_id, _run_id FROM bronze.claims WHERE _run_id = :run",
    "silver": "SELECT claim_id, _run_id FROM silver.claims WHERE _run_id = :run",
    "gold": "SELECT claim_id, _run_id FROM gold.claims_analytics WHERE _run_id = :run",
}

MANIFEST = "SELECT path, max_by(size, modified_ms), max(modified_ms) FROM bronze.manifest GROUP BY path"

QUARANTINE = (
    "SELECT key, rule, message, _run_id, CAST(at AS string) FROM silver.quarantine "
    "WHERE table_name = 'claims' ORDER BY key, rule"
)

_NEWEST_BRONZE = """
SELECT claim_id, newest._content_hash AS hash
FROM (
  SELECT trim(claim_id) AS claim_id,
         max(struct(coalesce(try_cast(nullif(trim(updated_at), '') AS timestamp), _landed_at) AS updated_at,
                    _landed_at, _source_file, _line, _content_hash)) AS newest
  FROM bronze.claims
  WHERE trim(claim_id) <> ''
  GROUP BY trim(claim_id)
)"""


def pending_silver(existing: frozenset[str]) -> str | None:
    """Claims whose newest version in bronze is neither in silver nor in quarantine; None while bronze is empty."""
    if "bronze.claims" not in existing:
        return None
    statement = f"SELECT b.claim_id FROM ({_NEWEST_BRONZE}) AS b"
    if "silver.claims" in existing:
        statement += " LEFT ANTI JOIN silver.claims AS s ON s.claim_id = b.claim_id AND s._content_hash = b.hash"
    if "silver.quarantine" in existing:
        statement += (
            " LEFT ANTI JOIN (SELECT key, _content_hash FROM silver.quarantine WHERE table_name = 'claims') AS q"
            " ON q.key = b.claim_id AND q._content_hash = b.hash"
        )
    return statement


_RELEASABLE = """
SELECT c.claim_id,
       md5(concat_ws('|', c._row_hash, coalesce(customers._content_hash, '-'), coalesce(pets._content_hash, '-'),
                     coalesce(policies._content_hash, '-'), coalesce(vet_providers._content_hash, '-'))) AS hash
FROM silver.claims AS c
LEFT JOIN silver.customers AS customers ON customers.customer_id = c.customer_id
LEFT JOIN silver.pets AS pets ON pets.pet_id = c.pet_id
LEFT JOIN silver.policies AS policies ON policies.policy_id = c.policy_id
LEFT JOIN silver.vet_providers AS vet_providers ON vet_providers.provider_id = c.provider_id"""
_NEEDED_FOR_GOLD = frozenset(f"silver.{name}" for name in ("claims", "customers", "pets", "policies", "vet_providers"))


def pending_gold(existing: frozenset[str]) -> str | None:
    """Claims in silver that claims_analytics does not have in their present state; None while silver is empty."""
    if "silver.claims" not in existing:
        return None
    if "gold.claims_analytics" not in existing or not existing >= _NEEDED_FOR_GOLD:
        return "SELECT claim_id FROM silver.claims"
    return (
        f"SELECT s.claim_id FROM ({_RELEASABLE}) AS s LEFT ANTI JOIN gold.claims_analytics AS g"
        " ON g.claim_id = s.claim_id AND g._row_hash = s.hash"
    )


PENDING = {"silver": pending_silver, "gold": pending_gold}


def row_counts(existing: frozenset[str]) -> str:
    """(table, rows) of every table that exists."""
    return " UNION ALL ".join(
        f"SELECT '{name}' AS name, count(*) AS n FROM {name}" for name in TABLES if name in existing
    )


def newest_version(table: str) -> str:
    """The newest Delta version of one of our tables."""
    if table not in TABLES:
        raise ValueError(f"{table} is none of our tables")
    return f"DESCRIBE HISTORY {table} LIMIT 1"


def layer_of(table: str) -> str:
    """The layer of `schema.table`."""
    return Layer(table.partition(".")[0]).value
