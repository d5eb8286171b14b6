"""Which columns make a row of each table the only one of its kind, said here and not asked of the pipeline."""

GRAINS: dict[str, tuple[str, ...]] = {
    **{f"bronze.{name}": ("_source_file", "_line") for name in ("customers", "pets", "policies", "claims")},
    "bronze.manifest": ("path", "content_hash"),
    "silver.customers": ("customer_id",),
    "silver.pets": ("pet_id",),
    "silver.policies": ("policy_id",),
    "silver.policies_history": ("policy_id", "valid_from"),
    "silver.vet_providers": ("provider_id",),
    "silver.claims": ("claim_id",),
    "silver.quarantine": ("table_name", "key"),
    "silver.quality_results": ("_run_id", "table_name", "rule"),
    "gold.claims_analytics": ("claim_id",),
    "gold.monthly_kpis": ("year_month",),
    "gold.customer_360": ("customer_id",),
    "gold.provider_performance": ("provider_id",),
    "gold.risk_scoring": ("species", "breed", "age_band", "claim_category"),
    "gold.cross_sell": ("customer_id", "offer"),
}
