"""Mailboxes: the list, setting one up, changing it, trying it, retiring it; and who did what."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from acuse.actions import mailboxes as acts
from acuse.actions.polling import ask_for_look
from acuse.config import config
from acuse.interfaces.web import clock
from acuse.interfaces.web.doors import for_firm, person_of
from acuse.interfaces.web.polled import tell, try_account
from acuse.interfaces.web.refusals import tell_rule
from acuse.models import Change, ImapAccount, Mailbox, Transport
from acuse.policy.fields import N_, InvalidField
from acuse.policy.stages import Role
from acuse.queries import administration as books

from .mailbox_forms import AccountForm, MailboxForm, RetireMailbox, field_label, shown_value
from .pages import for_roles, show

ADMINISTER = (Role.ADMINISTRATOR, Role.MANAGER)
INVALID, REFUSED = 422, 409


@for_firm
def mailboxes(request: HttpRequest) -> HttpResponse:
    """Every address, those no longer used last."""
    return show(
        request,
        "mailboxes",
        current="mails",
        mailboxes=books.mailboxes(),
        administers=_administers(request),
    )


def _administers(request: HttpRequest) -> bool:
    person = person_of(request)
    return person.is_administrator or person.is_manager


@for_roles(*ADMINISTER)
def new_mailbox(request: HttpRequest) -> HttpResponse:
    """GET asks, POST sets a new address up."""
    form = MailboxForm(person_of(request), None, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            box = acts.set_up_mailbox(
                form.cleaned_data["address"], form.facts(), by=person_of(request), at=clock.now()
            )
        except InvalidField as wrong:
            _blame(form, wrong)
        else:
            messages.success(request, _("The mailbox is set up."))
            return redirect("desk:mailbox", box.pk)
    status = INVALID if form.is_bound else 200
    return show(request, "new_mailbox", status=status, current="mails", form=form)


def _blame(form: forms.Form, wrong: InvalidField) -> None:
    message = tell_rule(wrong)
    if wrong.field == "secrets" and isinstance(form, AccountForm):
        form.blame_secrets(message)
    else:
        form.add_error(wrong.field if wrong.field in form.fields else None, message)


CHANGES = {
    "add": N_("set it up"),
    "edit": N_("changed it"),
    "account": N_("changed where it lies or how we sign in"),
    "retire": N_("retired it"),
    "restore": N_("took it into use again"),
}


def _told(change: Change) -> tuple[Change, str, list[tuple[str, str, str]]]:
    """A change in words: what was done, and each field that says something, with its value before
    ("": it had none) and after."""
    fields = [
        (
            field_label(name),
            "" if before is None else shown_value(name, before),
            shown_value(name, after),
        )
        for name, (before, after) in change.fields.items()
        if before or after
    ]
    return change, _(CHANGES[change.act]), fields


def _find(pk: int) -> Mailbox:
    try:
        return books.get_mailbox(pk)
    except Mailbox.DoesNotExist as missing:
        raise Http404 from missing


def _account_of(box: Mailbox) -> ImapAccount | None:
    return getattr(box, "imap", None)


@for_firm
def mailbox(request: HttpRequest, pk: int) -> HttpResponse:
    """One mailbox: how it is set up, how reading it goes, and who changed what."""
    return _page(request, _find(pk))


def _page(request: HttpRequest, box: Mailbox, *, status: int = 200, **sent: Any) -> HttpResponse:
    account = _account_of(box)
    return show(
        request,
        "mailbox",
        status=status,
        current="mails",
        box=box,
        account=account,
        error=tell(account.error) if account is not None else "",
        changes=[_told(change) for change in books.changes_of(acts.SUBJECT, box.pk)],
        administers=_administers(request),
        main=box.address == config.main_mailbox,
        **{
            "form": MailboxForm(person_of(request), box),
            "account_form": AccountForm(account),
            "retire": RetireMailbox(),
            **sent,
        },
    )


@for_roles(*ADMINISTER)
def facts(request: HttpRequest, pk: int) -> HttpResponse:
    """POST: what a mailbox is for and how its mail comes in, from now on."""
    box = _find(pk)
    form = MailboxForm(person_of(request), box, request.POST)
    if _is_kept(request, box, form, acts.change_mailbox):
        messages.success(request, _("The mailbox has been changed."))
        return redirect("desk:mailbox", pk)
    return _page(request, box, status=INVALID, form=form)


@for_roles(*ADMINISTER)
def account(request: HttpRequest, pk: int) -> HttpResponse:
    """POST: where a polled mailbox lies and how to sign in there."""
    box = _find(pk)
    form = AccountForm(_account_of(box), request.POST)
    if _is_kept(request, box, form, acts.set_account):
        messages.success(request, _("The account has been kept. Try it now."))
        return redirect("desk:mailbox", pk)
    return _page(request, box, status=INVALID, account_form=form)


def _is_kept(
    request: HttpRequest,
    box: Mailbox,
    form: MailboxForm | AccountForm,
    act: Callable[..., object],
) -> bool:
    """Whether the act took what the form says; if not, the form says why."""
    if not form.is_valid():
        return False
    try:
        act(box, form.facts(), by=person_of(request), at=clock.now())
    except InvalidField as wrong:
        _blame(form, wrong)
        return False
    return True


@for_roles(*ADMINISTER)
def trial(request: HttpRequest, pk: int) -> HttpResponse:
    """POST: sign in and look, and say how it went; nothing is changed anywhere."""
    box = _find(pk)
    found = _account_of(box)
    if found is None:
        raise Http404
    return _page(request, box, trial=try_account(found))


@for_roles(*ADMINISTER)
def look(request: HttpRequest, pk: int) -> HttpResponse:
    """POST: the poller reads the mailbox now, without waiting for its next turn."""
    box = _find(pk)
    found = _account_of(box)
    if found is None or not box.active or box.transport != Transport.IMAP:
        raise Http404
    ask_for_look(found, clock.now())
    messages.success(request, _("The mailbox is read within seconds."))
    return redirect("desk:mailbox", pk)


@for_roles(*ADMINISTER)
def retirement(request: HttpRequest, pk: int) -> HttpResponse:
    """POST: mail to this address is refused from now on. Not for the main one, from which our own
    letters go out."""
    box = _find(pk)
    form = RetireMailbox(request.POST)
    if box.address == config.main_mailbox:
        form.add_error(None, _("Our letters go out from this address: it cannot be retired."))
        return _page(request, box, status=REFUSED, retire=form)
    if not form.is_valid():
        return _page(request, box, status=INVALID, retire=form)
    why = form.cleaned_data["why"]
    acts.retire_mailbox(box, by=person_of(request), at=clock.now(), why=why)
    messages.success(request, _("The mailbox is retired: mail to it is refused."))
    return redirect("desk:mailbox", pk)


@for_roles(*ADMINISTER)
def restoration(request: HttpRequest, pk: int) -> HttpResponse:
    """POST: a retired address takes mail again."""
    acts.restore_mailbox(_find(pk), by=person_of(request), at=clock.now())
    messages.success(request, _("The mailbox takes mail again."))
    return redirect("desk:mailbox", pk)
