"""Audiences inside Redshift: who is eligible, who is held out, what a destination has to be told."""
