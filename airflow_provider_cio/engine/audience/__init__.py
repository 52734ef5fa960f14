"""Audiences: who belongs where, sent as a diff and accounted for; usable from a plain script."""
