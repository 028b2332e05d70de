"""One form for each act, declared by its fields."""
