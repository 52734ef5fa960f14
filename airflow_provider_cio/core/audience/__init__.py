"""Audiences, pure: canonical forms of identifiers, holdouts, the YAML of an audience."""
