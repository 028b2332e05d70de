"""The one writer and the three books it keeps: ledger, deadlines, outbox."""
