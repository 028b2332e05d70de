"""A lost job is found again from our rows, and a repeated one does nothing."""

from __future__ import annotations

from django.db import connection, transaction
from procrastinate.contrib.django.models import ProcrastinateJob

from acuse.actions import conversation
from acuse.interfaces.jobs import tasks
from acuse.interfaces.mail.tasks import process_mail
from acuse.models import Case, Notice, NoticeState, RawMail
from tests.mail.post import arrived, kept, postman, written
from tests.world import World


def jobs(name: str) -> list[dict[str, int]]:
    found = ProcrastinateJob.objects.filter(task_name=name).order_by("pk")
    return list(found.values_list("args", flat=True))


def lose_jobs() -> None:
    with connection.cursor() as cursor:
        cursor.execute("delete from procrastinate_jobs")


def test_a_fact_and_its_job_stand_or_fall_together(world: World) -> None:
    content = written("ana@andina.example")
    with transaction.atomic():
        kept(content)
        transaction.set_rollback(True)
    assert not RawMail.objects.exists()
    assert jobs("process_mail") == []
    raw = kept(content)
    assert jobs("process_mail") == [{"raw_id": raw.pk}]
    kept(content)
    assert len(jobs("process_mail")) == 1


def test_lost_jobs_are_found_again(world: World) -> None:
    raw = kept(written("ana@andina.example", "una"))
    line = conversation.comment(world.on(world.report(), "sara"), text="Hola")
    lose_jobs()
    tasks.sweep(timestamp=0)
    tasks.sweep(timestamp=60)
    assert jobs("process_mail") == [{"raw_id": raw.pk}]
    assert jobs("send_notices").count({"line_id": line.pk}) == 1


def test_what_is_done_gets_no_job(world: World) -> None:
    arrived(written("ana@andina.example", "una"))
    with postman():
        for line_id in Notice.objects.values_list("line", flat=True).distinct():
            tasks.send_notices(line_id=line_id)
    lose_jobs()
    tasks.sweep(timestamp=0)
    assert jobs("process_mail") == []
    assert jobs("send_notices") == []


def test_a_repeated_job_does_nothing(world: World) -> None:
    raw = kept(written("ana@andina.example", "una"))
    for _ in range(3):
        process_mail(raw_id=raw.pk)
    case = Case.objects.get()
    with postman() as post:
        for _ in range(3):
            tasks.send_notices(line_id=case.ledger.get().pk)
    assert len(post.to("ana@andina.example")) == 1
    states = set(Notice.objects.filter(case=case).values_list("state", flat=True))
    assert states == {NoticeState.SENT}
