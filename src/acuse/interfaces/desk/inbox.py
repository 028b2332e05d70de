"""The inbox: the lists with their counts, the one that is open, and the filter it is made of."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from acuse.interfaces.web import clock
from acuse.interfaces.web.doors import for_firm, person_of
from acuse.interfaces.web.refusals import tell_rule
from acuse.models import View
from acuse.policy import filters
from acuse.policy.fields import InvalidField, find_int
from acuse.policy.filters import COLUMNS, ORDERS, USUAL_COLUMNS, USUAL_ORDER, Wrong
from acuse.queries.lexicon import Lexicon, read_lexicon
from acuse.queries.narrow import read_query
from acuse.queries.queue import list_cases
from acuse.queries.shelves import USUAL_VIEW, VIEWS, count_words, read_shelves, views_of

from .inbox_forms import BulkForm, FilterForm
from .pages import show


@dataclass(frozen=True)
class Asked:
    """Which list is open and how: the code or id of its view, the filter in the reader's words,
    order and columns. `base`: the filter of the view itself; `wrong`: what could not be read."""

    view: str
    title: str
    base: str
    text: str
    sort: str
    columns: list[str]
    kept: View | None = None
    wrong: list[str] = field(default_factory=list)

    @property
    def changed(self) -> bool:
        """Whether another filter was written than that of the view."""
        return filters.parse(self.text).query != filters.parse(self.base).query

    @property
    def usual_columns(self) -> list[str]:
        return list(self.kept.columns) if self.kept and self.kept.columns else list(USUAL_COLUMNS)

    def address(self, after: str = "") -> str:
        """The query string of this list, or of another page of it."""
        query = QueryDict(mutable=True)
        query["view"] = self.view
        if self.text != self.base:
            query["q"] = self.text
        if self.sort != (self.kept.sort if self.kept else USUAL_ORDER):
            query["sort"] = self.sort
        if self.columns != self.usual_columns:
            query.setlist("column", self.columns)
        if after:
            query["after"] = after
        return query.urlencode()


def language() -> str:
    return (get_language() or "es")[:2]


def read_asked(request: HttpRequest, kept: list[View]) -> Asked:
    """GET ?view= q= sort= column=: the list that was asked for. What cannot be read is told, and
    the usual takes its place."""
    code, wrong = request.GET.get("view", USUAL_VIEW), []
    own = next((view for view in kept if str(view.pk) == code), None)
    if own is None and code not in VIEWS:
        wrong.append(_("This list does not exist."))
        code = USUAL_VIEW
    query = filters.parse(own.query).query if own else VIEWS[code][1]
    base = filters.write(query, language())
    sort = request.GET.get("sort") or (own.sort if own else USUAL_ORDER)
    if sort not in ORDERS:
        wrong.append(_("This order does not exist."))
        sort = USUAL_ORDER
    asked = request.GET.getlist("column") or (own.columns if own else []) or USUAL_COLUMNS
    return Asked(
        view=code,
        title=own.name if own else _(VIEWS[code][0]),
        base=base,
        text=_in_own_words(request.GET.get("q", base)),
        sort=sort,
        columns=[column for column in COLUMNS if column in asked] or list(USUAL_COLUMNS),
        kept=own,
        wrong=wrong,
    )


def _in_own_words(text: str) -> str:
    """A filter in the reader's language, as a colleague's link may be in another; what cannot be
    read stays as it was typed."""
    found = filters.parse(text)
    return (
        text.replace("\0", " ").strip() if found.wrong else filters.write(found.query, language())
    )


def tell_wrong(wrong: Wrong) -> str:
    """What could not be read of a filter, in the reader's language."""
    return _(wrong.rule) % wrong.params(language())


@for_firm
def inbox(request: HttpRequest) -> HttpResponse:
    """GET ?view= q= sort= column= after=; ?customer= leads to the open cases of that customer."""
    person, now = person_of(request), clock.now()
    kept = views_of(person)
    lexicon = read_lexicon(person)
    if "customer" in request.GET:
        return redirect(_of_customer(lexicon, request.GET["customer"]))
    asked = read_asked(request, kept)
    narrowed = read_query(asked.text, person, lexicon, now)
    wrong = asked.wrong + [tell_wrong(each) for each in narrowed.wrong]
    after = request.GET.get("after", "")
    try:
        page = list_cases(person, now, narrowed.condition, order=asked.sort, after=after)
    except InvalidField as broken:
        wrong.append(tell_rule(broken))
        page = list_cases(person, now, narrowed.condition, order=asked.sort)
    shelves = read_shelves(person, now, lexicon, kept, narrowed.condition)
    current = next((shelf for shelf in shelves.queues if shelf.query == narrowed.query), None)
    return show(
        request,
        "inbox",
        status=400 if wrong else 200,
        current="inbox",
        asked=asked,
        title=current.label if current else asked.title,
        page=page,
        wrong=wrong,
        shelves=shelves,
        queues=[
            (shelf, filters.write(shelf.query, language()), shelf is current)
            for shelf in shelves.queues
        ],
        in_queue=current is not None,
        total=count_words(shelves.total),
        paged=bool(after),
        here=asked.address(),
        next=asked.address(page.after),
        columns=[(code, _(COLUMNS[code])) for code in asked.columns],
        all_columns=[(code, _(label), code in asked.columns) for code, label in COLUMNS.items()],
        orders=[(code, _(label)) for code, label in ORDERS.items()],
        changeable=asked.kept is not None and asked.kept.may_be_changed_by(person),
        bulk=BulkForm(lexicon),
        key=uuid.uuid4().hex,
    )


def _of_customer(lexicon: Lexicon, pk: str) -> str:
    """The address of a customer's open cases; of all open ones where there is none of that id."""
    name = lexicon.of("customer").get(find_int(pk) or 0)
    asked = QueryDict(mutable=True)
    if name is not None:
        parts = (filters.Term("state", ("open",)), filters.Term("customer", (name,)))
        asked["q"] = filters.write(filters.Query(parts), language())
    return f"{reverse('desk:inbox')}?{asked.urlencode()}"


@for_firm
def build(request: HttpRequest) -> HttpResponse:
    """GET: a filter put together from lists, starting with the one of ?q=; with ?built it leads
    to the list."""
    person = person_of(request)
    asked = read_asked(request, views_of(person))
    lexicon = read_lexicon(person)
    if "built" not in request.GET:
        form = FilterForm.of(filters.parse(asked.text).query, lexicon, language())
        return show(request, "inbox_filter", current="inbox", asked=asked, form=form)
    form = FilterForm(lexicon, language(), request.GET)
    if not form.is_valid():
        return show(request, "inbox_filter", status=400, current="inbox", asked=asked, form=form)
    query = QueryDict(asked.address(), mutable=True)
    query["q"] = filters.write(form.query(), language())
    return redirect(f"{reverse('desk:inbox')}?{query.urlencode()}")
