"""The job of reading a kept mail."""

from __future__ import annotations

from procrastinate.contrib.django import app

from acuse.interfaces.mail import intake
from acuse.interfaces.web import clock


@app.task(name="process_mail", queue="mail")
def process_mail(*, raw_id: int) -> None:
    """Read one kept mail; a settled one is left alone."""
    intake.take_in(raw_id, clock.now())
