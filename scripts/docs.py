"""Draws the reference pages of docs/ from the code; `--check` says whether they are true.

`docs/reference/` is written by this alone: the two tables of a case's life, the deadlines, the
ledger kinds, the refusals, the settings.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "acuse.settings")

import django

django.setup()

from django.utils import translation  # noqa: E402

from acuse.config import Config, describe  # noqa: E402
from acuse.policy.deadlines import DEADLINES  # noqa: E402
from acuse.policy.kinds import KINDS  # noqa: E402
from acuse.policy.refusals import REASONS  # noqa: E402
from acuse.policy.stages import ALL, BESIDE, MAIN_LINE, OPEN, STAGES, Act, Stage  # noqa: E402

FOLDER = Path(__file__).parent.parent / "docs" / "reference"
DRAWN = "<!-- Drawn from the code by `make docs`: do not edit. -->\n\n"


def table(header: str, rows: Iterable[Iterable[str]]) -> str:
    names = header.split(" | ")
    lines = [f"| {header} |", "| " + " | ".join("---" for _ in names) + " |"]
    lines += ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def stages_of(stages: frozenset[Stage]) -> str:
    if stages == ALL:
        return "every stage"
    if stages == OPEN:
        return "every open stage"
    return ", ".join(stage for stage in Stage if stage in stages) or "-"


def act_row(act: Act) -> Iterator[str]:
    yield f"`{act.name}`"
    yield stages_of(act.stages)
    yield stages_of(act.to) if act.to else "stays"
    yield ", ".join(sorted(act.who))
    yield ", ".join(act.opens) or "-"
    yield ", ".join(act.closes) or "-"
    yield " ".join(act.clauses)


def life() -> str:
    with translation.override("es"):
        stages = [
            (f"`{stage}`", translation.gettext(w.desk), translation.gettext(w.customer), w.ball)
            for stage, w in STAGES.items()
        ]
    columns = "act | from | to | who | opens | closes | clause"
    return (
        "# The life of a case, as the code has it\n\n"
        "## Stages\n\n"
        + table("stage | at the desk | for the customer | who holds the ball", stages)
        + "\n## Acts on the main line\n\n"
        + table(columns, (act_row(act) for act in MAIN_LINE))
        + "\n## Acts beside the main line\n\n"
        + table(columns, (act_row(act) for act in BESIDE))
        + "\n## Deadlines\n\n"
        + table(
            "deadline | what falls due | act of the clock | once | clause",
            (
                (
                    f"`{d.name}`",
                    d.label,
                    f"`{d.act}`",
                    "yes" if d.once else "-",
                    " ".join(d.clauses),
                )
                for d in DEADLINES.values()
            ),
        )
    )


def ledger() -> str:
    return "# The kinds of ledger line\n\n" + table(
        "kind | version | payload | reads as | who is told | audience",
        (
            (
                f"`{kind.name}`",
                str(kind.version),
                ", ".join(f"{name}: {code}" for name, code in kind.fields.items()) or "-",
                kind.sentence,
                ", ".join(kind.tells) or "-",
                kind.audience,
            )
            for kind in KINDS.values()
        ),
    )


def refusals() -> str:
    return "# Refusals\n\n" + table(
        "code | said", ((f"`{code}`", text) for code, text in REASONS.items())
    )


def settings() -> str:
    listed = describe(Config.read({}))
    return "# Settings\n\n" + table(
        "variable | default | what it is",
        ((f"`{row.name}`", row.default or "-", row.meaning) for row in listed),
    )


PAGES = {"life.md": life, "ledger.md": ledger, "refusals.md": refusals, "settings.md": settings}


def main() -> int:
    stale = []
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, draw in PAGES.items():
        path, text = FOLDER / name, DRAWN + draw()
        if path.exists() and path.read_text() == text:
            continue
        stale.append(name)
        if "--check" not in sys.argv:
            path.write_text(text)
    if stale and "--check" in sys.argv:
        print(f"docs/reference is not what the code says: {', '.join(stale)}; run make docs")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
