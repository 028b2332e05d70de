"""Letters that reached nobody: sent again by whoever may, an address mended with its reason."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from acuse.actions import addresses, life, notices
from acuse.interfaces.web import replies
from acuse.models import Address, Case, Change, Notice, NoticeState, Suppression
from acuse.policy.fields import InvalidField
from acuse.queries.outgoing import list_unsent
from tests.desk.conftest import NOW
from tests.mail.post import postman, send_all
from tests.web.entering import Browser, words_of
from tests.world import HOUR, START, World

pytestmark = pytest.mark.usefixtures("all_read_english")


def bounced(world: World) -> Notice:
    """Ana's confirmation, which has come back; all else was sent."""
    case = world.report()
    with postman():
        send_all()
    notice = Notice.objects.get(case=case, person=world.ana)
    notices.mark_bounced(notice, "550 5.1.1 no such user", START + HOUR)
    return Notice.objects.get(pk=notice.pk)


def test_a_letter_that_came_back_goes_out_again_under_its_own_name(world: World) -> None:
    notice = bounced(world)
    client, address = Browser(world.sara), f"/desk/notices/{notice.pk}/sending"
    assert f'action="{address}"' in client.get("/desk/failures").content.decode()
    response = client.post(address, {"back": "/desk/failures?x=1"})
    assert response["Location"] == "/desk/failures?x=1"
    with postman() as first, postman() as second:
        send_all(NOW)
    assert first.taken == []
    ((_sender, to, message),) = second.taken
    assert (to, message["Message-ID"]) == ("ana@andina.example", f"<{replies.message_id(notice)}>")
    assert Notice.objects.get(pk=notice.pk).state == NoticeState.SENT
    change = Change.objects.get(subject=notices.NOTICE, row=notice.pk)
    assert (change.act, change.by, change.at) == ("send_again", world.sara, NOW)
    assert change.why == "550 5.1.1 no such user"
    # A second click says who was first, and nothing goes twice.
    said = words_of(client.post(address, {"back": "//evil.example"}, follow=True))
    assert "Somebody was first" in said
    assert "None: every notice that was sent reached somebody." in said
    with postman() as third:
        send_all(NOW)
    assert third.taken == []


def test_the_case_says_which_of_its_letters_did_not_arrive(world: World) -> None:
    notice = bounced(world)
    page, client = f"/desk/cases/{notice.case.number}", Browser(world.sara)
    said = f"It came back: letter {notice.line.receipt} to {world.ana}"
    assert said in words_of(client.get(page))
    Notice.objects.filter(pk=notice.pk).update(state="suppressed", reason="circle")
    assert "it waits for a person: letter" in words_of(client.get(page))
    Notice.objects.filter(pk=notice.pk).update(state="failed", reason="")
    assert "It could not be sent: letter" in words_of(client.get(page))
    # What reached them later makes up for it.
    life.take(world.on(notice.case, "sara"))
    with postman():
        send_all(NOW)
    assert "letter C-" not in words_of(client.get(page))


def test_only_who_attends_the_case_sends_again(world: World) -> None:
    notice = bounced(world)
    address = f"/desk/notices/{notice.pk}/sending"
    for person, status in ((world.ada, 403), (world.ana, 404), (world.omar, 404)):
        assert Browser(person).post(address).status_code == status
    assert Browser(world.sara).get(address).status_code == 405
    assert Browser(world.sara).post("/desk/notices/999999/sending").status_code == 404
    assert address not in Browser(world.ada).get("/desk/failures").content.decode()
    assert Notice.objects.get(pk=notice.pk).state == NoticeState.BOUNCED


def test_what_waits_for_a_person_is_listed_whole_and_sent_by_hand(world: World) -> None:
    waiting = []
    for _number in range(3):
        notice = Notice.objects.get(case=world.report(), person=world.ana)
        Notice.objects.filter(pk=notice.pk).update(state="suppressed", reason="circle")
        waiting.append(notice)
    braked = Notice.objects.get(case=world.report(), person=world.ana)
    Notice.objects.filter(pk=braked.pk).update(state="suppressed", reason="brake_all")
    client = Browser(world.sara)
    for page in ("/desk/mail/health", "/desk/mail/unsent"):
        body = client.get(page).content.decode()
        for notice in waiting:
            assert f'action="/desk/notices/{notice.pk}/sending"' in body
        assert f"/desk/notices/{braked.pk}/sending" not in body
    assert client.post(f"/desk/notices/{braked.pk}/sending").status_code == 302
    assert Notice.objects.get(pk=braked.pk).state == NoticeState.SUPPRESSED
    client.post(f"/desk/notices/{waiting[0].pk}/sending")
    with postman() as post:
        send_all(NOW)
    assert len(post.to("ana@andina.example")) == 1
    assert Notice.objects.get(pk=waiting[0].pk).reason == Suppression.CIRCLE


def test_the_list_goes_on_from_where_a_page_ended(world: World) -> None:
    for _number in range(5):
        world.report()
    Notice.objects.update(state="suppressed", reason="inactive")
    wanted = list(Notice.objects.order_by("-pk"))
    found, place, pages = [], None, 0
    while pages == 0 or place is not None:
        page = list_unsent(world.sara, before=place, size=4)
        found += [row for row, _why in page.rows]
        place, pages = page.next_place, pages + 1
    assert found == wanted
    assert pages == (len(wanted) + 3) // 4
    client = Browser(world.sara)
    said = words_of(client.get(f"/desk/mail/unsent?before={wanted[2].pk}"))
    assert said.count("The person is no longer active") == len(wanted) - 3
    assert "First page" in said
    assert "None: every letter" in words_of(client.get("/desk/mail/unsent?before=0"))
    assert client.get("/desk/mail/unsent?before=x").status_code == 200
    assert Browser(world.ana).get("/desk/mail/unsent").status_code == 404


def test_the_list_asks_alike_however_long_it_is(world: World) -> None:
    client, counts = Browser(world.sara), []
    for _round in range(2):
        world.report()
        Notice.objects.update(state="suppressed", reason="circle")
        client.get("/desk/mail/unsent")
        with CaptureQueriesContext(connection) as asked:
            client.get("/desk/mail/unsent")
        counts.append(len(asked))
    assert counts[0] == counts[1]


def test_an_address_takes_mail_again_with_the_reason(world: World) -> None:
    bounced(world)
    marked = Address.objects.get(email="ana@andina.example")
    address = f"/desk/addresses/{marked.pk}/recovery"
    client = Browser(world.sara)
    assert f'action="{address}"' in client.get(f"/desk/people/{world.ana.pk}").content.decode()
    said = words_of(client.post(address, {"why": " "}, follow=True))
    assert "must say why mail reaches it again" in said
    assert Address.objects.get(pk=marked.pk).bouncing_since == START + HOUR
    said = words_of(client.post(address, {"why": "nuevo\0 buzón"}, follow=True))
    assert "Sara" in said
    assert "noted that mail reaches an address again" in said
    assert "nuevo buzón" in said
    assert "bouncing since" not in said
    assert Address.objects.get(pk=marked.pk).bouncing_since is None
    change = Change.objects.get(act="clear_bouncing")
    assert (change.subject, change.row, change.by) == ("person", world.ana.pk, world.sara)
    # What does not bounce has nothing to be cleared of.
    addresses.clear_bouncing(marked, by=world.sara, at=NOW, why="otra vez")
    assert Change.objects.filter(act="clear_bouncing").count() == 1
    with pytest.raises(InvalidField):
        addresses.clear_bouncing(marked, by=world.sara, at=NOW, why="")
    for person, status in ((world.omar, 404), (world.ana, 404)):
        assert Browser(person).post(address, {"why": "x"}).status_code == status
    assert client.post("/desk/addresses/999999/recovery", {"why": "x"}).status_code == 404
    assert Case.objects.count() == 1
