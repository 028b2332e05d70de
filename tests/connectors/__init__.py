"""What connects to the outside."""
