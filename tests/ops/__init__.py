"""The installation as a whole: how it starts, survives and stops."""
