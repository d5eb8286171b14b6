# Databricks notebook source
# MAGIC %md
# MAGIC # Silver transformations
# MAGIC Records are typed and judged by named rules; what breaks one waits in quarantine until a good version comes.

# COMMAND ----------

# DBTITLE 1,What this run was told
from medallion.run import from_notebook

run = from_notebook(spark, dbutils, "silver_transformations")

# COMMAND ----------

# DBTITLE 1,Bronze to silver
from medallion.silver import run_silver

result = run_silver(run)

# COMMAND ----------

# DBTITLE 1,What came out
dbutils.notebook.exit(result.to_json())
