"""Everything that changes anything. One case's life, in order, is life.py."""
