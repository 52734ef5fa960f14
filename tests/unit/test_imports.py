"""What a task pays for before its first line."""

from __future__ import annotations

import subprocess
import sys

VERBS = "plan, preflight, unload, commit, send, reconcile"


def test_a_verb_does_not_import_pandas():
    """pyarrow does, where pandas is installed, as soon as it makes an array or a scalar of Python objects."""
    code = f"from airflow_provider_cio.engine import {VERBS}; import sys; print('pandas' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split()[-1] == "False"
