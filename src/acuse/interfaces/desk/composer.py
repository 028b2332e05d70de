"""Writing to the customer from the desk: pressed, taken back, or sent after the pause."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from acuse.actions import drafting, replies
from acuse.actions.replies import Beside
from acuse.config import config
from acuse.interfaces.web import uploads
from acuse.interfaces.web.doors import DESK, for_firm, key_of, occasion_of, person_of, view_of
from acuse.interfaces.web.forms.base import Code, long_text, many_files
from acuse.interfaces.web.refusals import Told, tell
from acuse.models import Addressee, Person, ReplyTemplate, Sending, SendingState
from acuse.policy.refusals import Refused
from acuse.policy.stages import ACTS
from acuse.queries import answering, dossier, words
from acuse.queries.case import CaseView

from .pages import show

REFUSED, INVALID = 409, 422
ME = "me"


class Reply(forms.Form):
    """A reply with what is done beside it. `assign`: nothing, "me", or the id of a macro that
    names somebody; `template`: one to be put into the text."""

    use_required_attribute = False

    text = long_text(_("Reply to the customer"), rows=5, required=False)
    files = many_files()
    wait_for = Code(words.ADDRESSEES, Addressee, required=False, label=_("Then wait for"))
    take = forms.BooleanField(label=_("Take the case"), required=False)
    assign = forms.ChoiceField(label=_("Then assign"), required=False)
    template = forms.ChoiceField(label=_("Template"), required=False)

    def __init__(self, view: CaseView, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.view = view
        self.templates = view.folder.templates
        self._offer("assign", [(ME, gettext("to me")), *self._assignments()])
        self._offer("template", [(str(each.pk), _name(each)) for each in self.templates])
        if not self.is_bound:  # what was sent is refused by the act, in words, and not left out
            self._leave_out({act.name for act in view.acts})
        for name, field in self.fields.items():  # the note beside it has the same names
            field.widget.attrs["id"] = "reply" if name == "text" else f"reply-{name}"

    def _leave_out(self, may: set[str]) -> None:
        """Offer nothing that is not possible now."""
        for name, act in (("take", "take"), ("wait_for", "ask"), ("assign", "assign")):
            if act not in may:
                del self.fields[name]
        if not self.templates:
            del self.fields["template"]

    def _offer(self, name: str, choices: Iterable[tuple[str, str]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", "—"), *choices]

    def _assignments(self) -> list[tuple[str, str]]:
        named = [(str(each.pk), answering.assignment_words(each)) for each in self.templates]
        return [(pk, words) for pk, words in named if words]

    def chosen_template(self) -> ReplyTemplate | None:
        """The template that is to be put into the text."""
        pk = self.data.get("template", "")
        return next((each for each in self.templates if str(each.pk) == pk), None)

    def beside(self, person: Person) -> Beside:
        """What is done beside the reply."""
        given = self.cleaned_data
        assign = given.get("assign") or ""
        macro = next((each for each in self.templates if str(each.pk) == assign), None)
        return Beside(
            take=bool(given.get("take")),
            assignee=person if assign == ME else macro.assignee if macro else None,
            queue=macro.queue if macro else None,
            wait_for=given.get("wait_for") or None,
        )


def _name(template: ReplyTemplate) -> str:
    told = f"{template.name} ({template.language})"
    return f"{told} +" if template.is_macro else told


@for_firm
def reply(request: HttpRequest, number: str) -> HttpResponse:
    """GET: the composer by itself. POST: the reply is on its way, and may be taken back for a few
    seconds; with `use`, the chosen template is put into the text instead. 409 for a refusal, 422
    for a form with errors; what was typed is kept."""
    view = view_of(request, number)
    if request.method != "POST":
        return _show(request, view, Reply(view, initial=kept_reply(view)))
    form = Reply(view, request.POST, request.FILES)
    if "use" in request.POST:
        return _show(request, view, _with_template(form))
    if not form.is_valid():
        return _show(request, view, form, status=INVALID)
    try:
        replies.press_send(
            occasion_of(request, DESK, view.case),
            text=form.cleaned_data["text"],
            files=uploads.keep(form.cleaned_data["files"]),
            beside=form.beside(view.person),
        )
    except Refused as refusal:
        return _show(request, view, form, tell(refusal, view.person), REFUSED)
    drafting.forget_draft(view.person, f"reply:{view.case.pk}")
    return redirect(f"{DESK.case_url(view.case)}#sending")


def _with_template(form: Reply) -> Reply:
    """The form anew, with the template after what was typed and its acts chosen."""
    template = form.chosen_template()
    initial: dict[str, Any] = {name: form.data.get(name, "") for name in form.fields}
    initial |= {"take": "take" in form.data}
    if template is not None:
        filled = answering.fill_for(form.view, template, config.host)
        typed = str(initial["text"]).strip()
        initial["text"] = f"{typed}\n\n{filled}" if typed else filled
        initial |= acts_of(template)
    return Reply(form.view, initial=initial)


def acts_of(template: ReplyTemplate) -> dict[str, Any]:
    """What choosing a macro chooses of the form; nothing is unchosen."""
    chosen: dict[str, Any] = {}
    if template.take:
        chosen["take"] = True
    if template.wait_for:
        chosen["wait_for"] = template.wait_for
    if template.assign_me or answering.assignment_words(template):
        chosen["assign"] = ME if template.assign_me else str(template.pk)
    return chosen


def _show(
    request: HttpRequest,
    view: CaseView,
    form: Reply,
    refusal: Told | None = None,
    status: int = 200,
) -> HttpResponse:
    return show(
        request,
        "composer_page",
        status=status,
        view=view,
        case=view.case,
        refusal=refusal,
        **reply_facts(view, form, key_of(request)),
    )


def reply_facts(view: CaseView, form: Reply | None = None, key: str = "") -> dict[str, Any]:
    """What the composers show: both forms, who will read either, and what is on its way. No
    query beside the folder's."""
    return {
        "reply_form": form or Reply(view, initial=kept_reply(view)),
        "reply_key": key or uuid.uuid4().hex,
        "reply_draft": f"reply:{view.case.pk}",
        "note_draft": f"note:{view.case.pk}",
        "kept_note": _drafted(view, "note").get("text", ""),
        "note_key": uuid.uuid4().hex,
        "reads": answering.readers_of(view, dossier.followers_of(view.case)),
        "sendings": [_bar(row, view) for row in view.folder.sendings],
        "macros": [(each, acts_of(each)) for each in view.folder.templates],
    }


def kept_reply(view: CaseView) -> dict[str, Any]:
    """What was being written when the page was left, else what was taken back or refused, to go
    on with; files have to be chosen again."""
    if drafted := _drafted(view, "reply"):
        return drafted
    kept = [row for row in view.folder.sendings if row.text and row.state != SendingState.WAITING]
    if not kept:
        return {}
    return {"text": kept[-1].text, "wait_for": kept[-1].wait_for, "take": kept[-1].take}


def _drafted(view: CaseView, form: str) -> dict[str, str]:
    """The fields of a form as they were last typed; empty where nothing was."""
    what = f"{form}:{view.case.pk}"
    found = next((each for each in view.folder.drafts if each.what == what), None)
    return {name: values[-1] for name, values in found.content.items()} if found else {}


def _bar(row: Sending, view: CaseView) -> dict[str, Any]:
    refusals = [
        tell(Refused(code, act, view.case.stage, ACTS[act].who), view.person)
        for act, code in row.refusals
    ]
    left = answering.seconds_left(row, view.at)
    return {"row": row, "left": left, "refusals": refusals}


@for_firm
def reply_text(request: HttpRequest, number: str, pk: int) -> HttpResponse:
    """GET: the text of one template for this case, as plain text."""
    view = view_of(request, number)
    found = ReplyTemplate.objects.visible_to(view.person).in_use().filter(pk=pk).first()
    if found is None:
        raise Http404(pk)
    return HttpResponse(
        answering.fill_for(view, found, config.host), content_type="text/plain; charset=utf-8"
    )


@for_firm
def sending(request: HttpRequest, pk: int) -> HttpResponse:
    """GET: how it stands with one's own reply, as a piece of a page."""
    row = _get_own(request, pk)
    view = view_of(request, row.case.number)
    return show(request, "composer_sending", case=row.case, view=view, sending=_bar(row, view))


@for_firm
def sending_undo(request: HttpRequest, pk: int) -> HttpResponse:
    """POST: a reply that has not been said is taken back, and stands in the composer again."""
    row = replies.take_back(_get_own(request, pk))
    if row.state == SendingState.SENT:
        messages.warning(request, gettext("It was too late: the reply has been sent."))
        return redirect(f"{DESK.case_url(row.case)}#conversation")
    messages.success(request, gettext("Taken back: nothing was sent."))
    return redirect(f"{DESK.case_url(row.case)}#reply")


@for_firm
def sending_removal(request: HttpRequest, pk: int) -> HttpResponse:
    """POST: what was taken back or refused is not wanted any more; the note on what was refused
    beside a reply has been read."""
    row = _get_own(request, pk)
    replies.drop_kept(row.case, person_of(request))
    return redirect(f"{DESK.case_url(row.case)}#conversation")


def _get_own(request: HttpRequest, pk: int) -> Sending:
    row = answering.find_unsaid(person_of(request), pk)
    if row is None:
        raise Http404(pk)
    return row
