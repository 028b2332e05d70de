"""Mailboxes at the desk: set up and changed by whoever may, their secrets never shown again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from acuse.actions import mail, mailboxes
from acuse.actions.mailboxes import AccountFacts, MailboxFacts
from acuse.interfaces.desk import mailboxes as pages
from acuse.interfaces.desk.mailbox_forms import SECRET_FIELDS, AccountForm
from acuse.interfaces.mail.post import find_recipient
from acuse.interfaces.web.polled import SECRETS, Trial, unseal
from acuse.models import Change, ImapAccount, Mailbox, Queue, RawMail
from acuse.policy.fields import InvalidField
from tests.desk.conftest import NOW
from tests.web.entering import Browser, words_of
from tests.world import World

pytestmark = pytest.mark.usefixtures("all_read_english")

SECRET = "un secreto muy largo"

FACTS = {
    "name": "Ayuda",
    "organisation": "",
    "queue": "",
    "transport": "imap",
    "plus_addressing": "on",
    "reply_domain": "",
    "authserv_id": "",
}
ACCOUNT = {
    "host": "imap.example.com",
    "port": "993",
    "security": "tls",
    "username": "ayuda",
    "sign_in": "password",
    "password": SECRET,
    "folder": "INBOX",
    "processed_folder": "Processed",
    "failed_folder": "Failed",
}


@pytest.fixture
def box(world: World) -> Mailbox:
    facts = MailboxFacts("Ayuda", transport="imap")
    return mailboxes.set_up_mailbox("ayuda@example.com", facts, by=world.ada, at=NOW)


def with_account(world: World, box: Mailbox, **given: str) -> ImapAccount:
    response = Browser(world.ada).post(f"/desk/mailboxes/{box.pk}/account", ACCOUNT | given)
    assert response.status_code == 302, words_of(response)
    return ImapAccount.objects.get(mailbox=box)


@pytest.mark.parametrize("who", ["ada", "mario"])
def test_a_mailbox_is_set_up(world: World, who: str) -> None:
    given = FACTS | {"address": "Nuevo@Example.com", "organisation": world.andina.pk}
    response = Browser(world.people[who]).post("/desk/mailboxes/new", given)
    box = Mailbox.objects.get(address="nuevo@example.com")
    assert response["Location"] == f"/desk/mailboxes/{box.pk}"
    assert (box.organisation, box.queue, box.transport) == (world.andina, None, "imap")
    assert (box.plus_addressing, box.active) == (True, True)
    change = Change.objects.get()
    assert (change.act, change.by, change.at) == ("add", world.people[who], NOW)
    assert change.fields["organisation"] == [None, "Andina"]


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"address": "nobody"}, "address"),
        ({"address": "ayuda+x@example.com"}, "address"),
        ({"address": "SOPORTE@example.com"}, "address"),
        ({"name": " "}, "name"),
        ({"transport": "pigeon"}, "transport"),
        ({"queue": "QUEUE", "organisation": "ANDINA"}, "queue"),
        ({"organisation": "FIRM"}, "organisation"),
        ({"reply_domain": "not a domain"}, "reply_domain"),
        ({"reply_domain": "example.com"}, "reply_domain"),
        ({"authserv_id": "mx example"}, "authserv_id"),
    ],
)
def test_what_breaks_a_rule_is_told_beside_its_field(
    world: World, wrong: dict[str, str], field: str
) -> None:
    rows = {
        "QUEUE": Queue.objects.get(code="soporte").pk,
        "ANDINA": world.andina.pk,
        "FIRM": world.firm.pk,
    }
    given = FACTS | {"address": "ayuda@example.com"}
    given |= {name: str(rows.get(value, value)) for name, value in wrong.items()}
    response = Browser(world.ada).post("/desk/mailboxes/new", given)
    assert response.status_code == 422
    assert list(response.context["form"].errors) == [field]
    assert response.context["form"].errors[field][0]
    assert not Mailbox.objects.filter(address="ayuda@example.com").exists()


def test_a_mailbox_is_changed_and_its_history_says_what(world: World, box: Mailbox) -> None:
    client = Browser(world.mario)
    address = f"/desk/mailboxes/{box.pk}/facts"
    given = FACTS | {"name": "Mesa", "reply_domain": "R.example.com", "authserv_id": "MX.example"}
    assert client.post(address, given).status_code == 302
    box.refresh_from_db()
    assert (box.name, box.reply_domain, box.authserv_id) == ("Mesa", "r.example.com", "mx.example")
    change = Change.objects.first()
    assert change is not None
    assert change.fields == {
        "name": ["Ayuda", "Mesa"],
        "reply_domain": ["", "r.example.com"],
        "authserv_id": ["", "mx.example"],
    }
    said = words_of(client.get(f"/desk/mailboxes/{box.pk}"))
    assert "Mario Mando changed it" in said
    assert "Name: Ayuda → Mesa" in said
    assert client.post(address, given).status_code == 302
    assert Change.objects.count() == 2  # the same again changes nothing


def test_an_address_never_changes(world: World, box: Mailbox) -> None:
    given = FACTS | {"address": "otra@example.com"}
    Browser(world.ada).post(f"/desk/mailboxes/{box.pk}/facts", given)
    box.refresh_from_db()
    assert box.address == "ayuda@example.com"


def test_a_secret_is_sealed_and_never_shown(world: World, box: Mailbox) -> None:
    account = with_account(world, box)
    assert unseal(account.sealed) == {"password": SECRET}
    assert SECRET not in account.sealed
    for person in (world.ada, world.mario, world.sara):
        page = Browser(person).get(f"/desk/mailboxes/{box.pk}").content.decode()
        assert SECRET not in page
        assert account.sealed not in page
    change = Change.objects.first()
    assert change is not None
    assert SECRET not in str(change.fields)
    assert change.fields["secrets"] == [None, "•••"]
    wrong = ACCOUNT | {"port": "0"}
    response = Browser(world.ada).post(f"/desk/mailboxes/{box.pk}/account", wrong)
    assert response.status_code == 422
    assert SECRET not in response.content.decode()  # not given back either


def test_a_kept_secret_stays_where_nothing_else_changes(world: World, box: Mailbox) -> None:
    before = with_account(world, box)
    after = with_account(world, box, password="", folder="Soporte")
    assert (after.sealed, after.folder) == (before.sealed, "Soporte")


@pytest.mark.parametrize(
    "elsewhere",
    [
        {"host": "spy.example"},
        {"port": "1993"},
        {"username": "otro"},
        {"security": "starttls"},
        {"authority": "https://spy.example/token"},
    ],
)
def test_a_kept_secret_goes_nowhere_else(
    world: World, box: Mailbox, elsewhere: dict[str, str]
) -> None:
    before = with_account(world, box)
    given = ACCOUNT | {"password": ""} | elsewhere
    response = Browser(world.ada).post(f"/desk/mailboxes/{box.pk}/account", given)
    assert response.status_code == 422
    assert list(response.context["account_form"].errors) == ["password"]
    after = ImapAccount.objects.get(mailbox=box)
    assert (after.host, after.port, after.username) == (before.host, 993, "ayuda")


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"host": "no host"}, "host"),
        ({"port": "70000"}, "port"),
        ({"username": " "}, "username"),
        ({"password": ""}, "password"),
        ({"security": "plain"}, "security"),
        ({"sign_in": "magic"}, "sign_in"),
        ({"folder": ""}, "folder"),
        ({"sign_in": "google", "client_id": "x"}, "client_secret"),
        ({"sign_in": "google"}, "client_id"),
        ({"sign_in": "microsoft", "tenant": "t", "client_id": "x"}, "client_secret"),
        ({"authority": "nowhere"}, "authority"),
    ],
)
def test_a_wrong_account_is_told_beside_its_field(
    world: World, box: Mailbox, wrong: dict[str, str], field: str
) -> None:
    response = Browser(world.ada).post(f"/desk/mailboxes/{box.pk}/account", ACCOUNT | wrong)
    assert response.status_code == 422
    assert field in response.context["account_form"].errors
    assert not ImapAccount.objects.exists()


def test_only_the_secrets_of_the_chosen_way_are_kept(world: World, box: Mailbox) -> None:
    google = {"client_id": "a", "client_secret": "b", "refresh_token": "c"}
    account = with_account(world, box, sign_in="google", **google)
    assert unseal(account.sealed) == google  # the password typed beside them is not kept
    microsoft = {"tenant": "t", "client_id": "a", "client_secret": "b"}
    account = with_account(world, box, sign_in="microsoft", **microsoft)
    assert unseal(account.sealed) == microsoft


def test_what_is_no_secret_of_a_permission_is_shown_and_kept(world: World, box: Mailbox) -> None:
    """Only the fields of the chosen way show (desk.css); what is kept need not be given again."""
    microsoft = {"tenant": "andina-t", "client_id": "andina-c", "client_secret": SECRET}
    before = with_account(world, box, sign_in="microsoft", **microsoft)
    page = Browser(world.ada).get(f"/desk/mailboxes/{box.pk}").content.decode()
    assert 'value="andina-t"' in page
    assert 'value="andina-c"' in page
    assert SECRET not in page
    same = microsoft | {"client_secret": "", "password": "", "folder": "Soporte"}
    after = with_account(world, box, sign_in="microsoft", **same)
    assert (after.sealed, after.folder) == (before.sealed, "Soporte")
    other = ACCOUNT | {"sign_in": "microsoft"} | same | {"client_id": "otro"}
    response = Browser(world.ada).post(f"/desk/mailboxes/{box.pk}/account", other)
    assert "client_secret" in response.context["account_form"].errors
    # Sealed with another key: nothing is shown, and all is asked for again.
    ImapAccount.objects.update(sealed="broken")
    page = Browser(world.ada).get(f"/desk/mailboxes/{box.pk}").content.decode()
    assert "andina-t" not in page


def test_each_field_of_an_account_names_its_ways(world: World, box: Mailbox) -> None:
    form = AccountForm(None)
    ways = {
        name: field.widget.attrs.get("data-sign-in", "").split()
        for name, field in form.fields.items()
        if field.widget.attrs.get("data-sign-in")
    }
    assert ways.keys() == {*SECRET_FIELDS, "authority"}
    for sign_in, names in SECRETS.items():
        assert {name for name in SECRET_FIELDS if sign_in in ways[name]} == set(names)


def test_a_mailbox_is_read_at_once_when_somebody_asks(world: World, box: Mailbox) -> None:
    account = with_account(world, box)
    address = f"/desk/mailboxes/{box.pk}/look"
    ImapAccount.objects.update(next_poll_at=NOW + timedelta(minutes=5))
    assert Browser(world.sara).post(address).status_code == 403
    assert ImapAccount.objects.get().next_poll_at == NOW + timedelta(minutes=5)
    client = Browser(world.ada)
    assert address in client.get(f"/desk/mailboxes/{box.pk}").content.decode()
    assert client.post(address).status_code == 302
    assert ImapAccount.objects.get(pk=account.pk).next_poll_at == NOW
    Mailbox.objects.filter(pk=box.pk).update(active=False)
    assert client.post(address).status_code == 404
    assert client.post(f"/desk/mailboxes/{world.mailbox.pk}/look").status_code == 404


def test_without_encryption_only_here(world: World, box: Mailbox) -> None:
    assert with_account(world, box, security="plain", host="127.0.0.1").security == "plain"


def test_an_account_is_tried(world: World, box: Mailbox, monkeypatch: pytest.MonkeyPatch) -> None:
    account = with_account(world, box)
    tried = []

    def try_account(row: ImapAccount) -> Trial:
        tried.append(row.pk)
        return Trial(False, "The server refuses this user name.", ("INBOX",))

    monkeypatch.setattr(pages, "try_account", try_account)
    client = Browser(world.ada)
    assert client.get(f"/desk/mailboxes/{box.pk}/trial").status_code == 405
    response = client.post(f"/desk/mailboxes/{box.pk}/trial")
    assert "The server refuses this user name." in words_of(response)
    assert tried == [account.pk]
    assert client.post(f"/desk/mailboxes/{world.mailbox.pk}/trial").status_code == 404


def test_a_retired_mailbox_refuses_mail_and_stays(world: World, box: Mailbox) -> None:
    mail.keep(b"Subject: x\r\n\r\nx", box, arrived_at=NOW)
    client = Browser(world.ada)
    address = f"/desk/mailboxes/{box.pk}/retirement"
    assert client.post(address, {"why": ""}).status_code == 422
    assert find_recipient("ayuda@example.com").mailbox == box  # type: ignore[union-attr]
    assert client.post(address, {"why": "ya no se usa"}).status_code == 302
    assert find_recipient("ayuda@example.com") is None
    assert RawMail.objects.filter(mailbox=box).exists()
    said = words_of(client.get(f"/desk/mailboxes/{box.pk}"))
    assert "Ada Administra retired it" in said
    assert "ya no se usa" in said
    assert "no longer used" in words_of(client.get("/desk/mailboxes"))
    assert client.post(f"/desk/mailboxes/{box.pk}/restoration").status_code == 302
    assert find_recipient("ayuda@example.com").mailbox == box  # type: ignore[union-attr]
    assert [change.act for change in Change.objects.all()] == ["restore", "retire", "add"]


def test_the_main_address_is_not_retired(world: World, box: Mailbox) -> None:
    for shown, offered in ((box, True), (world.mailbox, False)):
        page = Browser(world.ada).get(f"/desk/mailboxes/{shown.pk}").content.decode()
        assert (f"/desk/mailboxes/{shown.pk}/retirement" in page) is offered
    response = Browser(world.ada).post(
        f"/desk/mailboxes/{world.mailbox.pk}/retirement", {"why": "porque sí"}
    )
    assert response.status_code == 409
    world.mailbox.refresh_from_db()
    assert world.mailbox.active


def test_others_of_the_firm_look_and_change_nothing(world: World, box: Mailbox) -> None:
    for person in (world.sara, world.carlos, world.paula):
        client = Browser(person)
        page = client.get(f"/desk/mailboxes/{box.pk}").content.decode()
        assert "ayuda@example.com" in page
        assert "/facts" not in page
        assert client.get("/desk/mailboxes/new").status_code == 403
        for noun in ("facts", "account", "trial", "retirement", "restoration"):
            response = client.post(f"/desk/mailboxes/{box.pk}/{noun}", FACTS | ACCOUNT)
            assert response.status_code == 403, noun
    assert Browser(world.ana).get(f"/desk/mailboxes/{box.pk}").status_code == 404
    assert Browser(world.ada).get("/desk/mailboxes/999").status_code == 404
    assert Change.objects.count() == 1


def failing(field: str, act: Callable[[], object]) -> None:
    with pytest.raises(InvalidField) as told:
        act()
    assert told.value.field == field


def test_the_acts_hold_the_rules_by_themselves(world: World, box: Mailbox) -> None:
    def change(**facts: object) -> Callable[[], None]:
        given = MailboxFacts(**{"name": "x", **facts})  # type: ignore[arg-type]
        return lambda: mailboxes.change_mailbox(box, given, by=world.ada, at=NOW)

    def account(**facts: object) -> Callable[[], ImapAccount]:
        given = AccountFacts(**{"host": "h.example", "username": "u", **facts})  # type: ignore[arg-type]
        return lambda: mailboxes.set_account(box, given, by=world.ada, at=NOW)

    failing("organisation", change(organisation=world.firm))
    failing("transport", change(transport="x"))
    failing("name", change(name=" "))
    failing("host", account(host="-", sealed="x"))
    failing("port", account(port=0, sealed="x"))
    failing("security", account(security="x", sealed="x"))
    failing("username", account(username=" ", sealed="x"))
    failing("secrets", account())
    failing(
        "address", lambda: mailboxes.set_up_mailbox("x", MailboxFacts("x"), by=world.ada, at=NOW)
    )
    failing("why", lambda: mailboxes.retire_mailbox(box, by=world.ada, at=NOW, why=" "))
    mailboxes.restore_mailbox(box, by=world.ada, at=NOW)  # in use: nothing to restore
    assert Change.objects.count() == 1
