"""Where audiences go: one file a platform, behind the interface of `base`."""
