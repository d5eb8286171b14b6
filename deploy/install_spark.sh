#!/usr/bin/env bash
# Apache Spark with Delta Lake in .venv-spark: Spark from PyPI (hashed lock), Delta's jars from Maven Central (checked by their sums).
set -euo pipefail
cd "$(dirname "$0")/.."

DELTA=4.3.1
MODULES="delta-spark_4.1_2.13 delta-storage delta-kernel-api delta-kernel-defaults delta-kernel-unitycatalog"
SUMS="
ebf35a4383f0a653c3ee3c7882c0edcac2f846be31ac61af4b96ccfaaf36c171  delta-spark_4.1_2.13-$DELTA.jar
577c12c7e371be4c041714fb48e88ad86e3c3512beea2bdaffbe7a4debf79718  delta-storage-$DELTA.jar
b081b818d6f5686c7d6406588af72c9f8baf6765a41ada8197364aef90a260e8  delta-kernel-api-$DELTA.jar
27471cca7dd7a36289af2c8d52d2babb37e9e5a13cdaaea76730120f4c72e62f  delta-kernel-defaults-$DELTA.jar
a288342b7e53da34a608a1a227c8109aa4681fcb582da499ed19347f2193362b  delta-kernel-unitycatalog-$DELTA.jar
"

java=${JAVA_HOME:+$JAVA_HOME/bin/}java
major=$("$java" -version 2>&1 | sed -nE 's/.*version "([0-9]+).*/\1/p' || true)
if [ "${major:-0}" -lt 17 ]; then
  echo "Apache Spark needs Java 17 or newer; ${major:+version $major}${major:-none} was found. Install one (Debian, Ubuntu:" \
    "sudo apt-get install openjdk-17-jre-headless) or set JAVA_HOME. Nothing else in this project needs it." >&2
  exit 1
fi

echo "Installing Apache Spark (450 MB) …"
"${PYTHON:-python3}" -m venv .venv-spark
.venv-spark/bin/python -m pip --disable-pip-version-check install --quiet --require-hashes -r requirements-spark.lock
spark=$(.venv-spark/bin/python -c 'import pyspark, os; print(os.path.dirname(pyspark.__file__))')

echo "Fetching Delta Lake $DELTA from Maven Central …"
jars=.venv-spark/delta
mkdir -p "$jars"
for module in $MODULES; do  # without what they depend on: Spark has it
  "$java" -jar "$spark"/jars/ivy-*.jar -cache .venv-spark/ivy -dependency io.delta "$module" "$DELTA" -confs master \
    -notransitive -retrieve "$jars/[artifact]-[revision].[ext]" > .venv-spark/ivy.log 2>&1 ||
    { echo "io.delta:$module:$DELTA could not be had from Maven Central; .venv-spark/ivy.log says why." >&2; exit 1; }
done
(cd "$jars" && sha256sum --check --quiet --strict <<< "$(sed '/^$/d' <<< "$SUMS")") ||
  { echo "A jar of Delta Lake is missing or is not the one that this project was tested with." >&2; exit 1; }
