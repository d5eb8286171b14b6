# Databricks notebook source
# MAGIC %md
# MAGIC # Bronze ingestion
# MAGIC Each landed file is ingested once and whole; nothing of it is lost, and a repeat adds nothing.

# COMMAND ----------

# DBTITLE 1,What this run was told
from medallion.run import from_notebook

run = from_notebook(spark, dbutils, "bronze_ingestion")

# COMMAND ----------

# DBTITLE 1,Landing zone to bronze
from medallion.bronze import run_bronze

result = run_bronze(run)

# COMMAND ----------

# DBTITLE 1,What came out
dbutils.notebook.exit(result.to_json())
