"""A real mail server for one test: Dovecot with its own configuration in a folder of its own, as
an unprivileged process, on ports of this machine.

Mail comes in by LMTP and is fetched by IMAP, with STARTTLS or TLS under a certificate made for
the occasion. Everybody has a mailbox there, with the password PASSWORD or with a token that a fake
authorisation server (tests/mail/granting.py) vouches for.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import smtplib
import ssl
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from imapclient import IMAPClient

from tests.mail.certificate import make_authority, make_certificate
from tests.ops.installation import eventually, free_port

PASSWORD = "contraseña-de-prueba"

CONFIGURATION = """
base_dir = {here}/run
state_dir = {here}/state
log_path = {here}/log
instance_name = {here}
protocols = imap lmtp
listen = 127.0.0.1
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
ssl = yes
ssl_cert = <{here}/certificate.pem
ssl_key = <{here}/key.pem
disable_plaintext_auth = yes
auth_mechanisms = plain login xoauth2
auth_verbose = yes
auth_failure_delay = 0
mail_location = maildir:{here}/mail/%u
mail_uid = {uid}
mail_gid = {gid}
first_valid_uid = {uid}
maildir_stat_dirs = yes
mail_max_userip_connections = 50
imap_idle_notify_interval = 1 mins
recipient_delimiter = +
passdb {{
  driver = oauth2
  mechanisms = xoauth2
  args = {here}/oauth2.conf
}}
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={here}/mail/%u
}}
service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = {imaps}
    ssl = yes
  }}
}}
service lmtp {{
  inet_listener lmtp {{
    address = 127.0.0.1
    port = {lmtp}
  }}
}}
service stats {{
  chroot =
}}
namespace inbox {{
  inbox = yes
  separator = /
}}
protocol lmtp {{
  mail_plugins =
}}
{more}
"""


class Dovecot:
    """The server; `imap` is the port for STARTTLS, `imaps` for TLS."""

    def __init__(self, here: Path, introspection: str = "", more: str = "") -> None:
        self.here = here
        self.imap, self.imaps, self.lmtp = free_port(), free_port(), free_port()
        self.process: subprocess.Popen[bytes] | None = None
        self.who = pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
        self.authority = make_authority(here / "authority.pem")
        make_certificate(self.authority, here / "certificate.pem", here / "key.pem")
        (here / "oauth2.conf").write_text(
            f"introspection_url = {introspection or 'http://127.0.0.1:9/'}\n"
            "introspection_mode = post\nusername_attribute = username\n"
            "active_attribute = active\nactive_value = true\ntokeninfo_url =\n"
        )
        self.configure(more)
        for folder in ("run", "state", "mail"):
            (here / folder).mkdir()
        for path in (here, *here.iterdir()):
            os.chown(path, self.who.pw_uid, self.who.pw_gid)

    def configure(self, more: str = "") -> None:
        """Write the configuration, with more settings at its end."""
        group = subprocess.run(
            ["getent", "group", str(self.who.pw_gid)], capture_output=True, text=True, check=True
        ).stdout.partition(":")[0]
        (self.here / "dovecot.conf").write_text(
            CONFIGURATION.format(
                here=self.here,
                user=self.who.pw_name,
                group=group,
                uid=self.who.pw_uid,
                gid=self.who.pw_gid,
                imap=self.imap,
                imaps=self.imaps,
                lmtp=self.lmtp,
                more=more,
                password=PASSWORD,
            )
        )

    def start(self) -> None:
        """Start it; returns when it answers."""
        lent = {"user": self.who.pw_uid, "group": self.who.pw_gid, "extra_groups": []}
        self.process = subprocess.Popen(
            ["/usr/sbin/dovecot", "-F", "-c", str(self.here / "dovecot.conf")],
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            **(lent if os.geteuid() == 0 else {}),  # type: ignore[arg-type]
        )
        eventually(self._answers)

    def _answers(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, self.log()
        try:
            with smtplib.LMTP("127.0.0.1", self.lmtp, local_hostname="test"):
                return True
        except OSError:
            return False

    def log(self) -> str:
        """What it said."""
        path = self.here / "log"
        return path.read_text() if path.exists() else ""

    def stop(self) -> None:
        """End it, with all connections."""
        if self.process is not None and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)  # its children would take seconds
            self.process.wait(20)
        self.process = None

    def deliver(self, content: bytes, user: str = "soporte", sender: str = "") -> None:
        """Hand a mail over, as the firm's mail server would."""
        with smtplib.LMTP("127.0.0.1", self.lmtp, local_hostname="test") as client:
            client.sendmail(sender, [user], content)

    @contextmanager
    def looking(self, user: str = "soporte", folder: str = "INBOX") -> Iterator[IMAPClient]:
        """Another client, such as a person's, in a folder."""
        context = ssl.create_default_context(cafile=str(self.here / "authority.pem"))
        with IMAPClient("127.0.0.1", self.imaps, ssl_context=context) as client:
            client.plain_login(user, PASSWORD)
            client.select_folder(folder)
            yield client

    def count(self, user: str = "soporte", folder: str = "INBOX") -> int:
        """How many mails lie in a folder; 0 where there is none of this name."""
        with self.looking(user) as client:
            if not client.folder_exists(folder):
                return 0
            return int(client.folder_status(folder, ["MESSAGES"])[b"MESSAGES"])

    def append(self, content: bytes, at: datetime, user: str = "soporte") -> None:
        """Put a mail into the inbox as if it had reached the server at a moment."""
        with self.looking(user) as client:
            client.append("INBOX", content, msg_time=at)

    def renumber(self, user: str = "soporte") -> None:
        """Number the inbox afresh, under another UIDVALIDITY; while stopped."""
        assert self.process is None
        folder = self.here / "mail" / user
        for path in folder.glob("dovecot.index*"):
            path.unlink()
        numbers = folder / "dovecot-uidlist"
        _version, validity, _next, *more = numbers.read_text().splitlines()[0].split()
        head = ["3", f"V{int(validity[1:]) + 1000}", "N1", *more]
        numbers.write_text(" ".join(head) + "\n")


@contextmanager
def dovecot(introspection: str = "", more: str = "") -> Iterator[Dovecot]:
    """A running server, gone after the block."""
    here = Path(tempfile.mkdtemp(prefix="acuse-dovecot-"))
    here.chmod(0o755)
    server = Dovecot(here, introspection, more)
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(here, ignore_errors=True)
