"""Every question: nothing here writes."""
