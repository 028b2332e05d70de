"""Whether a domain vouches for a mail: by our own server's word, else by DKIM, SPF and DMARC, with
real signatures and a DNS of records in memory."""

from __future__ import annotations

import base64
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any
from unittest.mock import patch

import dkim
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from dns import message, rcode, rdatatype, rrset

from acuse.actions import mail
from acuse.config import BadSetting, Config
from acuse.connectors import dns, vouching
from acuse.connectors.dns import NameServers, Patience, Trouble
from acuse.connectors.vouching import Peer, is_aligned, organisational_domain, vouch
from acuse.interfaces.mail import authentication, intake
from acuse.interfaces.mail.authentication import find_peer, read_head, read_results
from acuse.models import MailState, RawMail
from tests.mail.post import arrived, kept, written
from tests.world import START, World

SELECTOR = b"acuse"


@cache
def key_pair() -> tuple[bytes, str]:
    """A private key in PEM, and its public half as DKIM publishes it."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    public = key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return private, base64.b64encode(public).decode()


class Records:
    """A DNS in memory; a name in `silent` gets no answer. It counts what it is asked."""

    def __init__(self, records: dict[tuple[str, str], list[Any]], *silent: str) -> None:
        self.records, self.silent, self.asked = records, silent, 0

    def ask(self, name: str, kind: str) -> list[Any]:
        self.asked += 1
        if name in self.silent:
            raise Trouble(f"{name}: no answer")
        return self.records.get((name, kind), [])


def zone(domain: str, policy: str = "", spf: str = "") -> dict[tuple[str, str], list[Any]]:
    """What a domain publishes: its DKIM key, and DMARC and SPF where given."""
    found: dict[tuple[str, str], list[Any]] = {
        (f"acuse._domainkey.{domain}", "TXT"): [f"v=DKIM1; k=rsa; p={key_pair()[1]}".encode()]
    }
    if policy:
        found[(f"_dmarc.{domain}", "TXT")] = [f"v=DMARC1; {policy}".encode()]
    if spf:
        found[(domain, "TXT")] = [f"v=spf1 {spf}".encode()]
    return found


def signed(content: bytes, domain: str, **more: Any) -> bytes:
    """The mail with a real DKIM signature of this domain above it."""
    headers = [b"from", b"to", b"subject"]
    made = dkim.sign(
        content, SELECTOR, domain.encode(), key_pair()[0], include_headers=headers, **more
    )
    return bytes(made) + content


PLAIN = written("Ana Ruiz <ana@andina.example>", message_id="m1@andina.example")
PEER = Peer("203.0.113.5", "mx.andina.example", "ana@andina.example")


def test_a_signature_of_the_authors_domain_passes() -> None:
    records = Records(zone("andina.example"))
    found = vouch(signed(PLAIN, "andina.example"), "andina.example", records)
    assert found.verdict == "pass"
    assert "dkim=pass (andina.example)" in found.grounds


def test_a_mail_changed_after_signing_is_not_vouched_for() -> None:
    changed = signed(PLAIN, "andina.example").replace(b"facturas", b"recibos")
    strict = Records(zone("andina.example", "p=reject"))
    assert vouch(changed, "andina.example", strict).verdict == "fail"
    assert vouch(changed, "andina.example", Records(zone("andina.example"))).verdict == "none"


def test_a_signature_over_a_part_of_the_body_proves_nothing() -> None:
    partly = signed(PLAIN, "andina.example", length=True) + b"y pague a otra cuenta\r\n"
    assert dkim.verify(partly, dnsfunc=_texts(zone("andina.example")))  # the library believes it
    assert vouch(partly, "andina.example", Records(zone("andina.example"))).verdict == "none"


def _texts(records: dict[tuple[str, str], list[Any]]) -> Any:
    def ask(name: bytes, timeout: int = 5) -> bytes:
        return bytes(records[name.decode().rstrip("."), "TXT"][0])

    return ask


def test_a_valid_signature_of_somebody_else_is_no_proof() -> None:
    records = Records(zone("evil.example") | zone("andina.example", "p=none"))
    content = signed(PLAIN, "evil.example")
    assert vouch(content, "andina.example", records, peer=PEER).verdict == "fail"


@pytest.mark.parametrize(
    ("policy", "verdict"), [("p=reject", "pass"), ("p=reject; adkim=s", "fail")]
)
def test_a_signature_of_another_name_of_the_organisation_counts_where_it_says_so(
    policy: str, verdict: str
) -> None:
    records = Records(zone("mail.andina.example") | zone("andina.example", policy))
    content = signed(PLAIN, "mail.andina.example")
    assert vouch(content, "andina.example", records).verdict == verdict


@pytest.mark.parametrize(("policy", "verdict"), [("p=none", "pass"), ("p=none; aspf=s", "fail")])
def test_the_peer_of_another_name_of_the_organisation_too(policy: str, verdict: str) -> None:
    records = Records(
        zone("andina.example", policy) | zone("bounces.andina.example", spf="ip4:203.0.113.0/24")
    )
    peer = Peer("203.0.113.5", "mx", "x@bounces.andina.example")
    assert vouch(PLAIN, "andina.example", records, peer=peer).verdict == verdict


def test_the_null_sender_is_the_greetings_domain() -> None:
    records = Records(zone("mx.andina.example", spf="a -all"))
    records.records["mx.andina.example", "A"] = ["203.0.113.5"]
    peer = Peer("203.0.113.5", "mx.andina.example", "")
    assert vouch(PLAIN, "andina.example", records, peer=peer).verdict == "pass"


def test_a_peer_that_the_domain_does_not_name_fails() -> None:
    records = Records(zone("andina.example", "p=none", "ip4:192.0.2.1 mx include:x.example -all"))
    records.records["andina.example", "MX"] = [(10, "mx.andina.example")]
    records.records["mx.andina.example", "A"] = ["192.0.2.2"]
    found = vouch(PLAIN, "andina.example", records, peer=PEER)
    assert found.verdict == "fail"
    assert "spf=p" in found.grounds  # include of nothing: permerror


def test_names_without_records_are_not_asked_for_ever() -> None:
    spf = " ".join(f"a:n{number}.andina.example" for number in range(9))
    records = Records(zone("andina.example", "p=none", spf))
    assert "spf=permerror" in vouch(PLAIN, "andina.example", records, peer=PEER).grounds
    assert records.asked < 8


def test_without_the_peer_a_domain_is_taken_at_its_strict_word_only() -> None:
    for policy, verdict in (("p=reject", "fail"), ("p=quarantine", "fail"), ("p=none", "unknown")):
        records = Records(zone("andina.example", policy))
        assert vouch(PLAIN, "andina.example", records).verdict == verdict
    assert vouch(PLAIN, "andina.example", Records({})).verdict == "none"


def test_a_subdomain_is_under_the_policy_of_its_organisation() -> None:
    records = Records(zone("andina.example", "p=reject"))
    assert vouch(PLAIN, "ventas.andina.example", records).verdict == "fail"


@pytest.mark.parametrize(
    "texts",
    [
        [b"v=DMARC1; p=reject", b"v=DMARC1; p=none"],
        [b"v=DMARC1; p"],
        [b"v=DMARC1; rua=mailto:x@y"],
        [b"p=reject"],
    ],
)
def test_a_broken_policy_is_no_policy(texts: list[bytes]) -> None:
    records = Records({("_dmarc.andina.example", "TXT"): texts})
    assert vouch(PLAIN, "andina.example", records).verdict == "none"


def test_trouble_in_asking_is_neither_yes_nor_no() -> None:
    content = signed(PLAIN, "andina.example")
    for silent in ("_dmarc.andina.example", "acuse._domainkey.andina.example"):
        records = Records(zone("andina.example", "p=reject"), silent)
        assert vouch(content, "andina.example", records).verdict == "unknown"
    records = Records(zone("andina.example", "p=reject"), "andina.example")
    assert vouch(PLAIN, "andina.example", records, peer=PEER).verdict == "unknown"
    # What is proven counts whatever else could not be asked.
    assert vouch(content, "andina.example", records, peer=PEER).verdict == "pass"


def test_after_one_trouble_nobody_is_asked_any_more() -> None:
    records = Records(zone("andina.example"), "_dmarc.andina.example")
    vouch(signed(PLAIN, "andina.example"), "andina.example", records, peer=PEER)
    assert records.asked == 1


def test_asking_takes_seconds_at_most() -> None:
    patient = Patience(Records({}))
    late = patch.object(dns.time, "monotonic", return_value=1e12)
    with late, pytest.raises(Trouble, match="too long"):
        patient.ask("andina.example", "TXT")


def test_of_a_mail_kept_in_part_no_signature_is_asked() -> None:
    head = signed(PLAIN, "andina.example").split(b"\r\n\r\n")[0] + b"\r\n\r\n"
    records = Records(zone("andina.example", "p=reject"))
    assert vouch(head, "andina.example", records, complete=False).verdict == "unknown"


@pytest.mark.parametrize(
    "signature",
    [
        b"DKIM-Signature: v=1; a=rsa-sha256; d=andina.example\r\n",
        b"DKIM-Signature: nothing\r\n",
        b"DKIM-Signature: v=1; a=rsa-sha256; d=andina.example; s=\xff; h=from; bh=a; b=b\r\n",
        b"DKIM-Signature: v=1; a=none; d=andina.example; s=acuse; h=from:to; bh=YQ==; b=YQ==\r\n",
    ],
)
def test_a_broken_signature_is_none(signature: bytes) -> None:
    assert vouch(signature + PLAIN, "andina.example", Records({})).verdict == "none"


def test_what_is_no_mail_and_no_peer_proves_nothing() -> None:
    assert vouch(b"no header\r\n\r\ntext", "andina.example", Records({})).verdict == "none"
    odd = Peer("nowhere", "mx", "ana@andina.example")
    found = vouch(PLAIN, "andina.example", Records(zone("andina.example", "p=none")), peer=odd)
    assert (found.verdict, "spf=permerror" in found.grounds) == ("fail", True)


def test_many_signatures_are_not_all_tried() -> None:
    one = b"DKIM-Signature: v=1; a=rsa-sha256; d=andina.example; s=a; h=from; bh=YQ==; b=YQ==\r\n"
    records = Records({})
    vouch(one * 100 + PLAIN, "andina.example", records)
    assert records.asked <= 2 + vouching.MOST_SIGNATURES


def test_organisations_are_registered_domains() -> None:
    assert organisational_domain("mx.ventas.andina.com.co") == "andina.com.co"
    assert organisational_domain("andina.com.co") == "andina.com.co"
    assert is_aligned("Mx.Andina.com.co", "andina.com.co", strict=False)
    assert not is_aligned("brisa.com.co", "andina.com.co", strict=False)  # com.co is nobody's
    assert not is_aligned("mx.andina.com.co", "andina.com.co", strict=True)


# What our own mail server says


def head(*fields: str, author: str = "ana@andina.example") -> authentication.Head:
    lines = [*fields, f"From: {author}", "Subject: x"]
    return read_head(("\r\n".join(lines) + "\r\n\r\ntext").encode())


def told(*fields: str) -> str | None:
    found = read_results(head(*fields), "mx.firm.example", "andina.example")
    return found.verdict if found is not None else None


RESULT = "Authentication-Results: mx.firm.example; "


@pytest.mark.parametrize(
    ("result", "verdict"),
    [
        ("dmarc=pass (p=REJECT sp=NONE dis=NONE) header.from=andina.example", "pass"),
        ("dmarc=PASS header.from=Andina.Example", "pass"),
        ("dmarc=fail (p=none) header.from=andina.example; dkim=pass header.d=evil.example", "fail"),
        ("dmarc=temperror header.from=andina.example", "unknown"),
        ("dmarc=none header.from=andina.example", "none"),
        ("dmarc=none header.from=andina.example; dkim=pass header.i=@mx.andina.example", "pass"),
        ("dkim=pass (2048-bit key)\r\n\theader.d=andina.example header.s=a; spf=fail", "pass"),
        ("spf=pass (x (nested)) smtp.mailfrom=bounce@andina.example", "pass"),
        ("spf=fail smtp.mailfrom=a@andina.example; dkim=fail header.d=andina.example", None),
        ("dkim=pass header.d=evil.example; spf=pass smtp.mailfrom=evil.example", None),
        ("dmarc=pass header.from=evil.example", "none"),
        ("none", None),
        ("; broken", None),
    ],
)
def test_our_servers_word_counts(result: str, verdict: str | None) -> None:
    assert told(RESULT + result) == verdict


PASS = "dmarc=pass header.from=andina.example"
FAIL = "dmarc=fail header.from=andina.example"


def test_only_the_topmost_word_counts_and_only_of_exactly_our_server() -> None:
    assert told(RESULT + FAIL, RESULT + PASS) == "fail"
    assert told(f"Authentication-Results: mx.evil.example; {PASS}", RESULT + PASS) is None
    assert told(f"Authentication-Results: mx.firm.example.evil.example; {PASS}") is None
    assert told(f"Authentication-Results: evil (mx.firm.example); {PASS}") is None
    assert told(f"Authentication-Results: MX.Firm.Example 1; {PASS}") == "pass"
    assert told("Subject: mine", RESULT + PASS) is None  # below what the sender wrote
    assert told(f"X-Authentication-Results: mx.firm.example; {PASS}") is None
    assert told() is None


def test_the_peer_is_believed_from_our_own_line_alone() -> None:
    ours = (
        "Received: from mx.andina.example (mx.andina.example [203.0.113.5])\r\n\t"
        "by mx.firm.example (Postfix) with ESMTPS id 1"
    )

    def peer(*fields: str) -> Peer | None:
        return find_peer(head(*fields), "mx.firm.example", "ana@andina.example")

    public = ours.replace("203.0.113.5", "8.8.8.8")
    assert peer(public) == Peer("8.8.8.8", "mx.andina.example", "ana@andina.example")
    six = public.replace("[8.8.8.8]", "[IPv6:2001:4860:4860::8888]")
    assert peer(six) == Peer("2001:4860:4860::8888", "mx.andina.example", "ana@andina.example")
    assert peer() is None
    assert peer(ours.replace("203.0.113.5", "10.0.0.1")) is None
    assert peer(ours.replace("203.0.113.5", "999.1.1.1")) is None
    assert peer(public.replace("by mx.firm.example", "by mx.evil.example")) is None
    # A line of ours further down may be the sender's own work.
    assert peer("Received: from a by mx.evil.example", public) is None
    # Nor does an address after our own name count.
    assert peer("Received: from a by mx.firm.example ([8.8.8.8])") is None


@pytest.mark.parametrize(
    ("author", "clear"),
    [
        ("Ana Ruiz <ana@andina.example>", True),
        ("ana@andina.example", True),
        ('"ana@andina.example" <ana@andina.example>', True),
        ('"sara@firm.example" <eve@evil.example>', False),
        ("sara@firm.example <eve@evil.example>", False),
        ("=?utf-8?q?sara=40firm=2Eexample?= <eve@evil.example>", False),
        ("ana@andina.example, sara@firm.example", False),
        ("", False),
        ("eve@evil.example\r\nFrom: sara@firm.example", False),
        # What another reader of the From would take for somebody else's.
        ("<sara@firm.example@evil.example>", False),
        ("sara@firm.example@evil.example", False),
        ("sara(@evil.example)@firm.example", False),
        ("sara@firm.example(@evil.example)", False),
        ('<"sara@firm.example> "@evil.example>', False),
        ('<"x"sara@firm.example>', False),
        ('"sara@firm.example"@evil.example', False),
        ("<sara@firm.example,eve@evil.example>", False),
        ("<@evil.example:sara@firm.example>", False),
        ("<sara@firm.example\0.evil.example>", False),
        ("sara@firm.example\0@evil.example", False),
        ("<sa ra@firm.example>", False),
        ("<=?utf-8?q?sara=40firm=2Eexample?=>", False),
        ("team: sara@firm.example;", False),
        ('"eve@evil.example": sara@firm.example;', False),
        ("sara＠firm.example <eve@evil.example>", False),
        ("sara@firm.example (Sara)", True),
        ("=?utf-8?q?Ana_Ru=C3=ADz?=\r\n <ANA@andina.example>", True),
        ("'Ana' via Grupo <ana@andina.example>", True),
        ("ñandú@andina.example", True),
    ],
)
def test_a_from_names_one_author_and_pretends_no_other(author: str, clear: bool) -> None:
    assert head(author=author).is_clear() is clear


# The verdict on the row


@pytest.fixture
def records() -> Iterator[Records]:
    one = Records(zone("andina.example", "p=reject"))
    with patch.object(authentication, "resolver", lambda: one):
        yield one


def test_the_verdict_is_kept_and_asked_for_once(world: World, records: Records) -> None:
    raw = arrived(signed(written("ana@andina.example", subject="[C-1]"), "andina.example"))
    assert raw.authentication == "pass"
    assert "dkim=pass" in raw.authentication_detail
    asked = records.asked
    RawMail.objects.update(state=MailState.HELD)
    mail.replay(raw)
    intake.take_in(raw.pk, START)
    assert records.asked == asked


def test_what_could_not_be_asked_is_asked_again_on_replay(world: World) -> None:
    content = signed(written("omar@andina.example"), "andina.example")
    silent = Records(zone("andina.example"), "_dmarc.andina.example")
    with patch.object(authentication, "resolver", lambda: silent):
        raw = arrived(content)
    assert raw.authentication == "unknown"
    RawMail.objects.update(state=MailState.HELD)
    mail.replay(raw)
    with patch.object(authentication, "resolver", lambda: Records(zone("andina.example"))):
        intake.take_in(raw.pk, START)
    raw.refresh_from_db()
    assert raw.authentication == "pass"


def test_a_broken_check_loses_no_mail(world: World) -> None:
    raw = kept(written("ana@andina.example"))
    with patch.object(intake, "authenticate", side_effect=RuntimeError("broken")):
        assert intake.take_in(raw.pk, START) == MailState.PROCESSED
    raw.refresh_from_db()
    assert (raw.authentication, "broken" in raw.authentication_detail) == ("unknown", True)


def test_our_own_servers_word_saves_asking(world: World, records: Records) -> None:
    world.mailbox.authserv_id = "mx.example.com"
    world.mailbox.save()
    line = f"Authentication-Results: mx.example.com; {FAIL}\r\n".encode()
    raw = arrived(line + written("ana@andina.example"))
    assert (raw.authentication, records.asked) == ("fail", 0)


def test_in_development_nobody_is_asked(world: World) -> None:
    raw = arrived(written("ana@andina.example"))
    assert (raw.authentication, raw.authentication_detail) == ("unknown", "")


# A name server that really answers


@contextmanager
def name_server(records: dict[tuple[str, str], str]) -> Iterator[NameServers]:
    """A name server of its own on loopback (UDP); "?" as a record is a server's failure."""

    class Answering(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            data, socket = self.request
            question = message.from_wire(data)
            asked = question.question[0]
            name = asked.name.to_text(omit_final_dot=True)
            kind = rdatatype.to_text(asked.rdtype)
            answer = message.make_response(question)
            found = records.get((name, kind))
            if found == "?":
                answer.set_rcode(rcode.SERVFAIL)
            elif found is not None:
                answer.answer.append(rrset.from_text(asked.name, 60, "IN", kind, *found.split("|")))
            elif not any(known == name for known, _ in records):
                answer.set_rcode(rcode.NXDOMAIN)
            socket.sendto(answer.to_wire(), self.client_address)

    with socketserver.UDPServer(("127.0.0.1", 0), Answering) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield NameServers(f"127.0.0.1:{server.server_address[1]}")
        server.shutdown()


def test_a_name_server_is_asked_and_its_answers_read() -> None:
    records = {
        ("andina.example", "TXT"): '"v=spf1 " "-all"|"other"',
        ("andina.example", "MX"): "10 mx.andina.example.",
        ("andina.example", "A"): "192.0.2.1",
        ("1.2.0.192.in-addr.arpa", "PTR"): "mx.andina.example.",
        ("broken.example", "TXT"): "?",
    }
    with name_server(records) as servers:
        assert set(servers.ask("andina.example", "TXT")) == {b"v=spf1 -all", b"other"}
        assert servers.ask("andina.example", "MX") == [(10, "mx.andina.example")]
        assert servers.ask("andina.example", "A") == ["192.0.2.1"]
        assert servers.ask("1.2.0.192.in-addr.arpa", "PTR") == ["mx.andina.example"]
        assert servers.ask("andina.example", "AAAA") == []
        assert servers.ask("nobody.example", "TXT") == []
        with pytest.raises(Trouble, match=r"broken\.example"):
            servers.ask("broken.example", "TXT")
        with pytest.raises(Trouble):
            servers.ask("a..b", "TXT")


def test_nobody_there_is_trouble_and_no_error() -> None:
    with patch.object(dns, "EACH", 0.05), pytest.raises(Trouble):
        NameServers("[::1]:9").ask("andina.example", "TXT")


def test_who_is_asked_is_for_the_installation_to_say() -> None:
    def asked(**environ: str) -> object:
        authentication.resolver.cache_clear()
        with patch.object(authentication, "config", Config.read(environ)):
            return authentication.resolver()

    production = {
        "ACUSE_ENV": "production",
        "ACUSE_SECRET_KEY": "x" * 32,
        "ACUSE_HOST": "https://soporte.example.com",
        "ACUSE_SMTP_URL": "smtp://127.0.0.1:25",
    }
    assert asked() is None
    assert isinstance(asked(ACUSE_DNS="127.0.0.1:53"), NameServers)
    assert isinstance(asked(ACUSE_DNS="127.0.0.1:53", **production), NameServers)
    with pytest.raises(BadSetting, match="ACUSE_DNS"):
        asked(ACUSE_DNS="localhost")
    authentication.resolver.cache_clear()
