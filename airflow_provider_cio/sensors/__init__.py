"""Waiting for what others do, without holding a worker."""
