"""The outside, one file each."""
