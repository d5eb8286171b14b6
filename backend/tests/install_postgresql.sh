#!/usr/bin/env bash
# The store tests run on a real PostgreSQL of their own, started from the programs of the system.
set -euo pipefail
found() {
  for folder in "${POSTGRESQL_BIN:-}" "$(dirname "$(command -v initdb 2>/dev/null || echo /nowhere/x)")" \
      /usr/lib/postgresql/*/bin /usr/pgsql-*/bin /opt/homebrew/opt/postgresql*/bin /usr/local/opt/postgresql*/bin; do
    if [ -x "$folder/initdb" ] && [ -x "$folder/postgres" ]; then return 0; fi
  done
  return 1
}
if found; then exit 0; fi
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
  echo "Installing PostgreSQL for the store tests …"
  export DEBIAN_FRONTEND=noninteractive
  # No cluster is made or started: the tests start their own server in a temporary folder.
  mkdir -p /etc/postgresql-common
  [ -e /etc/postgresql-common/createcluster.conf ] || echo "create_main_cluster = false" >/etc/postgresql-common/createcluster.conf
  apt-get update -qq && apt-get install -y -qq --no-install-recommends postgresql >/dev/null
  if found; then exit 0; fi
fi
echo "The store tests need the programs of PostgreSQL 14 or newer (initdb, postgres). Install them (Debian, Ubuntu: sudo apt-get install postgresql) or set POSTGRESQL_BIN to their folder." >&2
exit 1
