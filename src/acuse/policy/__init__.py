"""The rulebook: pure Python. No Django, no database, no clock."""
