"""The first set-up of an installation, and the demo firm with its history of real acts."""
