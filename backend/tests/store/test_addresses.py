"""DATABASE_URL as people write it: one host or several, sockets, and what cannot be used is refused in words."""

from __future__ import annotations

from collections.abc import AsyncIterator
from urllib.parse import quote

import pytest
from psycopg.conninfo import conninfo_to_dict

from app.store import notifications
from app.store.engine import Database, StoreUnusable, connection_string, create_engine, probe
from app.store.leadership import candidate
from backend.tests.support.postgresql import PostgresqlServer

NOBODY = quote("/nobody/listens/here", safe="")


def hosts_url(url: str, *, ports: bool = False, **options: str) -> str:
    """The same database, first asked for where nobody is."""
    given = conninfo_to_dict(url)
    port = ":5432" if ports else ""
    place = f"{NOBODY}{port},{quote(str(given['host']), safe='')}{port}"
    query = "&".join(f"{name}={value}" for name, value in options.items())
    return f"postgresql://{given['user']}@{place}/{given['dbname']}?{query}"


@pytest.fixture(params=[False, True], ids=["hosts", "hosts and ports"])
async def database(request: pytest.FixtureRequest, postgresql_url: str) -> AsyncIterator[Database]:
    url = hosts_url(postgresql_url, ports=request.param, target_session_attrs="read-write")
    opened = Database(create_engine(url))
    yield opened
    await opened.dispose()


async def test_of_several_hosts_the_one_that_takes_writes_is_used_by_every_kind_of_session(database: Database) -> None:
    async with database.write() as db:
        await notifications.announce(db, "nobody hears this")
    own = connection_string(database.engine)
    assert conninfo_to_dict(own)["target_session_attrs"] == "read-write"
    async with notifications.listening(own) as listener, candidate(own, silent_for_ms=3_000) as session:
        assert await session.try_lock()
        await session.beat("news")
        assert await listener.heard(within_s=20) == ["news"]


async def test_hosts_that_take_no_writes_are_refused_before_anything_is_served(postgresql: PostgresqlServer) -> None:
    with postgresql.database() as url:
        postgresql.sql(f"ALTER DATABASE {conninfo_to_dict(url)['dbname']} SET default_transaction_read_only = on")
        with pytest.raises(StoreUnusable, match="read-only"):
            await probe(hosts_url(url, target_session_attrs="read-write"))
        assert (await probe(hosts_url(url, target_session_attrs="any"))).startswith("postgresql ")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("postgresql://u:p%40w@h/db", "postgresql+psycopg://u:***@h/db"),
        ("postgres://u@h:5433/db?sslmode=require", "postgresql+psycopg://u@h:5433/db?sslmode=require"),
        ("postgresql+psycopg://u@h/db", "postgresql+psycopg://u@h/db"),
        ("postgresql://u@h/db?password=secret", "postgresql+psycopg://u:***@h/db"),
        ("postgresql://u@[::1]:5433/db", "postgresql+psycopg://u@[::1]:5433/db"),
        ("postgresql://u:p@h1:1,h2:2/db", "postgresql+psycopg://u:***@/db?host=h1%2Ch2&port=1%2C2"),
        ("postgresql://u@[::1]:1,[::2]:2/db", "postgresql+psycopg://u@/db?host=%3A%3A1%2C%3A%3A2&port=1%2C2"),
        ("postgresql://u@/db?host=/run/a,/run/b", "postgresql+psycopg://u@/db?host=%2Frun%2Fa%2C%2Frun%2Fb"),
    ],
)
def test_an_address_is_read_as_postgresql_reads_it_and_shown_without_its_password(text: str, shown: str) -> None:
    engine = create_engine(text)
    assert engine.url.render_as_string(hide_password=True) == shown
    given = conninfo_to_dict(text.replace("+psycopg", ""))
    kept = conninfo_to_dict(connection_string(engine))
    empty = {name for name, value in given.items() if not str(value).strip(",")}
    assert {name: kept[name] for name in given.keys() - empty} == {name: given[name] for name in given.keys() - empty}


@pytest.mark.parametrize(
    "text",
    [
        "postgresql://u:se/cret@h/db",
        "postgresql://u:secret@h:port/db",
        "postgresql://u:secret@h/db?colour=red",
        "postgresql://u:secret@[::1/db",
        "postgresql://u:secret%zz@h/db",
    ],
)
async def test_what_cannot_be_read_is_refused_in_words_that_do_not_quote_it(text: str) -> None:
    with pytest.raises(StoreUnusable, match="percent-encoded") as refused:
        await probe(text)
    assert "cret" not in str(refused.value)
    assert refused.value.__cause__ is None
