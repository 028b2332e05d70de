"""What the form of every act is made of: rows of the case, codes by their words, lists, files."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.db.models import Model, QuerySet
from django.forms.utils import ErrorDict, ErrorList
from django.http import QueryDict
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from acuse.actions.drafting import files_of
from acuse.interfaces.web import uploads
from acuse.models import Case, DraftFile, Person
from acuse.policy.fields import find_int

Rows = Callable[[Case, Person], "QuerySet[Any]"]
MOST_ROWS = 60  # of one list; a form is no spreadsheet


class OneRow(forms.ModelChoiceField):
    """One of the case's own rows; `rows` says which may be chosen, `naming` how each is called."""

    def __init__(self, rows: Rows, naming: Callable[[Any], str] = str, **options: Any) -> None:
        self.rows, self.naming = rows, naming
        options.setdefault("empty_label", "—")
        super().__init__(queryset=Case.objects.none(), **options)

    def limit(self, case: Case, person: Person) -> None:
        self.queryset = self.rows(case, person)

    def label_from_instance(self, obj: Model) -> str:
        return self.naming(obj)


class ManyRows(forms.ModelMultipleChoiceField):
    """Some of the case's own rows, ticked one by one."""

    widget = forms.CheckboxSelectMultiple

    def __init__(self, rows: Rows, naming: Callable[[Any], str] = str, **options: Any) -> None:
        self.rows, self.naming = rows, naming
        super().__init__(queryset=Case.objects.none(), **options)

    def limit(self, case: Case, person: Person) -> None:
        self.queryset = self.rows(case, person)

    def label_from_instance(self, obj: Model) -> str:
        return self.naming(obj)


class CaseNumber(forms.CharField):
    """Another case by its number (C-17), among those that the person may see."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=20, **options)

    def limit(self, case: Case, person: Person) -> None:
        self.visible = Case.objects.visible_to(person)

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        match = re.fullmatch(r"[Cc]-?(\d{1,12})|(\d{1,12})", text.strip())
        found = match and self.visible.filter(pk=int(match[1] or match[2])).first()
        if not found:
            raise forms.ValidationError(_("There is no case with that number: write it as C-17."))
        return found


class Code(forms.TypedChoiceField):
    """One code of a list, shown by its words in the person's language."""

    def __init__(
        self,
        words: Mapping[Any, str],
        coerce: Callable[[Any], Any] = str,
        radio: bool = False,
        **options: Any,
    ) -> None:
        def choices() -> list[tuple[str, str]]:
            blank = [] if options.get("required", True) else [("", "—")]
            return blank + [(str(code), gettext(word)) for code, word in words.items()]

        if radio:
            options["widget"] = forms.RadioSelect
        super().__init__(choices=choices, coerce=coerce, empty_value=None, **options)


class YesNo(Code):
    """A question answered by yes or no, neither of them chosen beforehand."""

    def __init__(self, yes: str, no: str, **options: Any) -> None:
        super().__init__({"yes": yes, "no": no}, lambda v: v == "yes", radio=True, **options)


class ManyFilesInput(forms.ClearableFileInput):
    """Files that come with the form, and the ids of those that came before it (`kept`)."""

    allow_multiple_selected = True
    template_name = "django/forms/widgets/file.html"

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[Any]:
        sent = super().value_from_datadict(data, files, name) or []
        kept = data.getlist("kept") if isinstance(data, QueryDict) else []
        return [*(sent if isinstance(sent, list | tuple) else [sent]), *kept]


class ManyFiles(forms.FileField):
    """Several files, each of at most uploads.LARGEST bytes; those of the person's own draft
    among them."""

    widget = ManyFilesInput
    person: Person | None = None

    def __init__(self, **options: Any) -> None:
        options.setdefault("label", _("Files"))
        options.setdefault("required", False)
        options.setdefault("help_text", _("Up to 25 MB each."))
        super().__init__(**options)

    def limit(self, case: Case, person: Person) -> None:
        self.person = person

    def clean(self, data: Any, initial: Any = None) -> list[UploadedFile | DraftFile]:
        given = data if isinstance(data, list | tuple) else [data] if data else []
        kept = self._kept([pk for pk in given if isinstance(pk, str)])
        given = [file for file in given if not isinstance(file, str)]
        if not given and not kept and self.required:
            raise forms.ValidationError(_("Choose at least one file."))
        for file in given:
            super().clean(file, initial)
            if file.size > uploads.LARGEST:
                raise forms.ValidationError(
                    _("“%(name)s” is larger than 25 MB."), params={"name": file.name}
                )
        return [*given, *kept]

    def _kept(self, ids: list[str]) -> list[DraftFile]:
        own = DraftFile.objects.filter(draft__person=self.person).select_related("blob")
        wanted = [found for pk in ids if (found := find_int(pk)) is not None]
        return list(own.filter(pk__in=wanted).order_by("pk")) if wanted else []


def many_files(**options: Any) -> Any:
    """The field of that name: a form's own `files` holds what was uploaded, its field this."""
    return ManyFiles(**options)


def long_text(label: Any, **options: Any) -> forms.CharField:
    """Several lines of somebody's words."""
    widget = forms.Textarea(attrs={"rows": options.pop("rows", 6)})
    return forms.CharField(label=label, widget=widget, max_length=50_000, **options)


def number(label: Any, low: int, high: int, **options: Any) -> forms.IntegerField:
    return forms.IntegerField(label=label, min_value=low, max_value=high, **options)


class ActForm(forms.Form):
    """The form of one act on one case.

    `lists` names the lists of rows (name -> form of a row, title, rows shown at first). A subclass
    declares fields named like the act's arguments; `to_details` gives those arguments.
    """

    lists: ClassVar[dict[str, tuple[type[forms.Form], Any, int]]] = {}
    use_required_attribute = False  # the server says it in the person's language

    def __init__(self, case: Case, person: Person, data: Any = None, **options: Any) -> None:
        self.case, self.actor = case, person
        super().__init__(data, **options)
        for name, field in self.fields.items():
            if hasattr(field, "limit"):
                field.limit(case, person)
            if isinstance(field, OneRow) and field.required:
                self._choose_the_only(name, field)
        self.rows = {
            name: self._formset(name, row, shown)
            for name, (row, _title, shown) in self.lists.items()
        }
        self.prepare()

    def prepare(self) -> None:
        """For a subclass: what depends on the case (initial values, fields that do not apply)."""

    def _choose_the_only(self, name: str, field: OneRow) -> None:
        """One row to choose from is no choice: it is shown in words and sent along."""
        assert field.queryset is not None
        keys = list(field.queryset.values_list("pk", flat=True)[:2])
        if len(keys) == 1:
            self.initial.setdefault(name, keys[0])
            field.widget = forms.HiddenInput()

    def chosen(self) -> Iterable[tuple[str, str]]:
        """What there is no choice about, in words: the label of the field, and its row with all
        that was written there."""
        for name, field in self.fields.items():
            if not (isinstance(field, OneRow) and field.widget.is_hidden):
                continue
            rows = field.queryset
            row = rows.filter(pk=self.initial.get(name)).first() if rows is not None else None
            if row is not None:
                written = [getattr(row, part, "") for part in ("text", "grounds", "omitted")]
                whole = "\n\n".join(part for part in written if part)
                yield str(field.label), whole or field.label_from_instance(row)

    def _formset(self, name: str, row: type[forms.Form], shown: int) -> forms.BaseFormSet[Any]:
        initial = self.first_rows(name)
        made = forms.formset_factory(
            row, extra=max(0, shown - len(initial)), max_num=MOST_ROWS, absolute_max=MOST_ROWS
        )
        return made(
            self.data if self.is_bound else None,
            prefix=name,
            initial=initial,
            form_kwargs={"use_required_attribute": False, "empty_permitted": True},
        )

    def first_rows(self, name: str) -> list[dict[str, Any]]:
        """For a subclass: the rows that a list starts with."""
        return []

    def titled_rows(self) -> list[tuple[str, Any, forms.BaseFormSet[Any], ErrorList]]:
        """The lists for a template: name, title, rows, errors of the list as a whole."""
        return [
            (name, self.lists[name][1], rows, self.list_errors.get(name, self.error_class()))
            for name, rows in self.rows.items()
        ]

    @property
    def list_errors(self) -> dict[str, ErrorList]:
        if not hasattr(self, "_list_errors"):
            self._list_errors: dict[str, ErrorList] = {}
        return self._list_errors

    def is_valid(self) -> bool:
        lists_valid = [rows.is_valid() for rows in self.rows.values()]
        return super().is_valid() and all(lists_valid)

    def given_rows(self, name: str) -> list[dict[str, Any]]:
        """The rows of a list in which something is written. One that nobody has touched is what
        it started with: a form that may stay empty does not clean it."""
        filled = (
            form.cleaned_data if form.has_changed() else form.initial for form in self.rows[name]
        )
        return [row for row in filled if any(value not in (None, "") for value in row.values())]

    def to_details(self) -> dict[str, Any]:
        """The keyword arguments for the act; what was left empty is left to the act's default."""
        details: dict[str, Any] = {}
        for name, value in self.cleaned_data.items():
            if isinstance(self.fields[name], ManyFiles):
                if value:
                    sent = [file for file in value if isinstance(file, UploadedFile)]
                    kept = [file for file in value if isinstance(file, DraftFile)]
                    details[name] = (*uploads.keep(sent), *files_of(kept))
            elif isinstance(value, QuerySet):
                details[name] = list(value)
            elif value not in (None, ""):
                details[name] = value
        return details

    def blame(self, field: str, message: str) -> bool:
        """Put a refusal beside the field at fault; False where the form has no such field."""
        if field in self.rows:
            self.list_errors.setdefault(field, self.error_class()).append(message)
        elif field in self.fields and self.is_bound:
            self.add_error(field, message)
        else:
            return False
        return True

    def has_errors(self) -> bool:
        """Whether anything was found wrong, in a field, in a list or with the whole."""
        in_lists = any(self.list_errors.values()) or any(
            any(rows.errors) or rows.non_form_errors() for rows in self.rows.values()
        )
        return bool(self.errors) or in_lists

    def forget_errors(self) -> None:
        """Show what was typed without judging it (a row was added, or somebody went back)."""
        self._errors = ErrorDict()
        self.cleaned_data = {}
        for rows in self.rows.values():
            for form in rows.forms:
                form._errors = ErrorDict()
                form.cleaned_data = {}
            vars(rows).update(_errors=[], _non_form_errors=ErrorList())

    def typed(self) -> Iterable[tuple[str, str]]:
        """Everything that was sent, for the hidden fields of a confirmation."""
        names = set(self.fields) | {"key", "draft", "kept"}
        assert isinstance(self.data, QueryDict)
        for name, values in self.data.lists():
            if name in names or any(name.startswith(f"{prefix}-") for prefix in self.rows):
                yield from ((name, str(value)) for value in values)


class Nothing(ActForm):
    """An act that needs nothing but the will to do it."""
