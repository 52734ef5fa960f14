"""Measure runs, check them, and keep the books of alerts."""
