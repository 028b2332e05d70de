"""`acuse settings`: what the environment decides."""

from __future__ import annotations

from acuse.config import config, describe


def main() -> int:
    """Prints every setting: variable, meaning, default, value; secrets only as set or not."""
    for row in describe(config):
        print(f"{row.name}\n    {row.meaning}")
        print(f"    default: {row.default or '(none)'}\n    now:     {row.current}\n")
    return 0
