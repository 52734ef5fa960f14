"""What is measured, what is expected, and what somebody must know: pure."""
