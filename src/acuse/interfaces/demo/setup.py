"""What every installation starts with: calendar, policy, rates, queue, main mailbox (`init`)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from decimal import Decimal
from pathlib import Path

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils.translation import gettext as _

from acuse.actions import administration as admin
from acuse.models import (
    CalendarVersion,
    Mailbox,
    Organisation,
    Person,
    PolicyVersion,
    Queue,
    RateVersion,
)
from acuse.policy.billing import Activity
from acuse.policy.calendar import colombia
from acuse.policy.fields import N_, InvalidField
from acuse.policy.stages import Role
from acuse.policy.versions import DEFAULT

POLICY_TEXT = Path(__file__).with_name("service_policy.es.txt")
NEVER_BILLED = (Activity.CORRECTION, Activity.WARRANTY, Activity.INTERNAL)
HOURLY_COP = {
    Activity.DIAGNOSIS: Decimal(140_000),
    Activity.MEETING: Decimal(140_000),
    Activity.EXECUTION: Decimal(165_000),
} | dict.fromkeys(NEVER_BILLED, Decimal(0))

NOT_AN_ADDRESS = N_("“%(value)s” is not a mail address")
NAME_MISSING = N_("must not be empty")


@dataclass(frozen=True)
class Ground:
    """The standard versions that contracts and cases rest on."""

    calendar: CalendarVersion
    policy: PolicyVersion
    rates: RateVersion
    queue: Queue
    mailbox: Mailbox


def lay_ground(
    firm: str,
    mailbox: str,
    years: range,
    reviewed: range,
    since: datetime,
    authserv_id: str = "",
) -> Ground:
    """Publish the standard calendar, the default policy in the firm's name and the rates in COP
    (P07, P24), and open the main mailbox with its queue (P11). `reviewed`: the years whose
    holidays a manager stands for."""
    text = POLICY_TEXT.read_text(encoding="utf-8")
    numbers = {name: str(value) for name, value in DEFAULT.to_json().items()}
    admin.add_words(Queue, [("soporte", "Soporte")])
    queue = Queue.objects.get(code="soporte")
    return Ground(
        calendar=admin.publish_calendar(colombia(years, reviewed)),
        policy=admin.publish_policy(text.format(firm=firm, **numbers), DEFAULT, since),
        rates=admin.publish_rates("COP", HOURLY_COP),
        queue=queue,
        mailbox=admin.add_mailbox(mailbox, firm[:100], queue=queue, authserv_id=authserv_id),
    )


@transaction.atomic
def set_up(firm: str, admin_email: str, admin_name: str, mailbox: str, now: datetime) -> list[str]:
    """Found a real installation with its first administrator, who is also its manager.

    Returns what was made and what a manager has to do next, in plain sentences. Raises
    InvalidField when a value is wrong or the installation already has its firm.
    """
    for field, address in (("admin-email", admin_email), ("mailbox", mailbox)):
        _require_address(field, address)
    for field, name in (("firm", firm), ("admin-name", admin_name)):
        if not name.strip():
            raise InvalidField(field, NAME_MISSING)
    organisation = _found(firm.strip())
    person = admin.add_person(admin_email, admin_name)
    _put_in_charge(person, organisation, now)
    years = range(now.year - 1, now.year + 2)
    first_day = datetime.combine(now.date(), time(), now.tzinfo)
    ground = lay_ground(firm.strip(), mailbox, years, range(0), first_day)
    return [
        _("%(firm)s is set up.") % {"firm": organisation.name},
        _("%(name)s (%(email)s) is its administrator and manager, and enters by a mailed code.")
        % {"name": person.name, "email": person.email},
        _("Mail to %(mailbox)s becomes cases.") % {"mailbox": ground.mailbox.address},
        _(
            "The calendar (Colombia, %(first)s to %(last)s) has not been reviewed: until a manager "
            "reviews the holidays of a year and publishes the calendar, silence accepts nothing "
            "in that year."
        )
        % {"first": years[0], "last": years[-1]},
        _("Read the service policy and the hourly rates before the first case: both are drafts."),
    ]


def _found(firm: str) -> Organisation:
    try:
        return admin.found_firm(firm)
    except InvalidField as exists:
        raise InvalidField("firm", exists.rule, **exists.params) from None


def _put_in_charge(person: Person, firm: Organisation, now: datetime) -> None:
    since = now - timedelta(seconds=1)  # in force at once, also by the database's clock
    for role in (Role.ADMINISTRATOR, Role.MANAGER):
        admin.give_role(person, firm, role, since=since)


def _require_address(field: str, address: str) -> None:
    try:
        validate_email(address)
    except ValidationError:
        raise InvalidField(field, NOT_AN_ADDRESS, value=address) from None
