"""A PostgreSQL of the tests' own: one server in a temporary folder, one database per test, copied from a template."""

from __future__ import annotations

import asyncio
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
import pytest

from app.store.engine import create_engine
from app.store.migrate import upgrade

READY_WITHIN_S = 120.0
PLACES = ("/dev/shm", "/tmp")  # everybody may enter them, and a socket's path must be short
USUAL_PLACES = (
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/opt/homebrew/opt/postgresql*/bin",
    "/usr/local/opt/postgresql*/bin",
)
# The data is thrown away, so nothing has to survive a loss of power; every lock and every order is as ever.
SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "full_page_writes": "off",
    "max_connections": "200",
    "shared_buffers": "32MB",
    "max_wal_size": "256MB",
    "autovacuum": "off",
}
# The server ends with us, whatever ends us: its standard input is then closed.
KEEPER = '"$@" & server=$!; read -r _; kill -QUIT $server; wait $server'


@dataclass
class PostgresqlServer:
    """Listens on a socket in a folder that only its owner may enter."""

    folder: Path
    owner: str
    process: subprocess.Popen[bytes]
    _numbers: Iterator[int] = field(default_factory=count)
    _admin: psycopg.Connection[Any] | None = None

    def url(self, database: str) -> str:
        return f"postgresql://{self.owner}@/{database}?host={self.folder}"

    def sql(self, statement: str) -> list[tuple[Any, ...]]:
        """Run one statement outside a transaction, as the server's owner."""
        if self._admin is None:
            self._admin = psycopg.connect(self.url("postgres"), autocommit=True)
        found = self._admin.execute(statement)  # type: ignore[arg-type]
        return found.fetchall() if found.description else []

    def close(self) -> None:
        if self._admin is not None:
            self._admin.close()

    @contextmanager
    def database(self, template: str = "template0") -> Iterator[str]:
        """The URL of a new database with the template's content; it goes with whoever is connected to it."""
        name = f"test_{next(self._numbers)}"
        self.sql(f"CREATE DATABASE {name} TEMPLATE {template}")
        try:
            yield self.url(name)
        finally:
            self.sql(f"DROP DATABASE {name} WITH (FORCE)")

    def make_template(self) -> str:
        """A database at the newest revision; its name."""
        self.sql("CREATE DATABASE migrated")
        asyncio.run(_migrate(self.url("migrated")))
        return "migrated"


async def _migrate(url: str) -> None:
    engine = create_engine(url)
    await upgrade(engine)
    await engine.dispose()


def program(name: str) -> str:
    """The program of the newest PostgreSQL here."""
    folders = [Path(os.environ["POSTGRESQL_BIN"])] if os.environ.get("POSTGRESQL_BIN") else []
    if found := shutil.which(name):
        folders.append(Path(found).parent)
    for place in USUAL_PLACES:
        folders += sorted(Path("/").glob(place[1:]), reverse=True)
    for folder in folders:
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return str((folder / name).resolve())
    pytest.fail(
        "The store tests need PostgreSQL (initdb, postgres): `make test` installs it as root; else install it "
        "(Debian, Ubuntu: sudo apt-get install postgresql) or set POSTGRESQL_BIN to the folder of its programs."
    )


@contextmanager
def running_postgresql() -> Iterator[PostgresqlServer]:
    """A fresh server. PostgreSQL refuses to run as root, so root hands it to the user `postgres`."""
    as_root = os.geteuid() == 0
    owner = pwd.getpwnam("postgres") if as_root else pwd.getpwuid(os.geteuid())
    become: dict[str, Any] = {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []} if as_root else {}
    place = tempfile.gettempdir() if tempfile.gettempdir() in PLACES else PLACES[-1]
    with tempfile.TemporaryDirectory(prefix="pet-pg-", dir=place) as made:
        folder = Path(made)
        if as_root:
            os.chown(folder, owner.pw_uid, owner.pw_gid)
        plain = {"cwd": folder, "env": {"PATH": os.defpath, "LANG": "C.UTF-8"}, **become}
        data = folder / "data"
        # A locale that sorts like people: whoever relies on the order of bytes has to say so.
        new = [program("initdb"), "-D", data, "-A", "trust", "-U", owner.pw_name, "-E", "UTF8", "--no-sync"]
        subprocess.run(
            [*new, "--locale-provider=icu", "--icu-locale=en"], check=True, stdout=subprocess.DEVNULL, **plain
        )
        options = [part for name, value in SETTINGS.items() for part in ("-c", f"{name}={value}")]
        server = [program("postgres"), "-D", data, "-k", folder, *options]
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                ["/bin/sh", "-c", KEEPER, "keeper", *server], stdin=subprocess.PIPE, stdout=log, stderr=log, **plain
            )
        running = PostgresqlServer(folder, owner.pw_name, process)
        try:
            _until_ready(running)
            yield running
        finally:
            running.close()
            assert process.stdin is not None
            process.stdin.close()
            process.wait(20)


def _until_ready(server: PostgresqlServer) -> None:
    deadline = time.monotonic() + READY_WITHIN_S
    while True:
        try:
            server.sql("SELECT 1")
        except psycopg.OperationalError:
            if server.process.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"PostgreSQL did not start: {(server.folder / 'log').read_text()[-2000:]}")
            time.sleep(0.02)
        else:
            return
