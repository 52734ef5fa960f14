"""One task = one verb."""
