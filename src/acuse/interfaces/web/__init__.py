"""What the ways in share."""
