# Databricks notebook source
# MAGIC %md
# MAGIC # Gold aggregations
# MAGIC Claims are released, and every figure is brought up to date. The formulas are in `docs/kpis.md`.

# COMMAND ----------

# DBTITLE 1,What this run was told
from medallion.run import from_notebook

run = from_notebook(spark, dbutils, "gold_aggregations")

# COMMAND ----------

# DBTITLE 1,Silver to gold
from medallion.gold import run_gold

result = run_gold(run)

# COMMAND ----------

# DBTITLE 1,What came out
dbutils.notebook.exit(result.to_json())
