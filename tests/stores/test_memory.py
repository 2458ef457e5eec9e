"""What is particular to `MemoryLedger`: it is copied when its process is forked."""

from __future__ import annotations

import subprocess
import sys

FORKS = """
import os, random, threading
from aigw.mechanics.limits import Claim, Spend
from aigw.runtime import BlockingRuntime, drive
from aigw.stores import MemoryLedger

ledger = MemoryLedger()
runtime = BlockingRuntime(None, random.Random(0), lambda: None)
claims = [Claim(Spend(f"day{n}", 10**9, 1, 1), 1) for n in range(50)]
over = threading.Event()

def count():
    while not over.is_set():
        drive(ledger.reserve(claims, runtime, 60.0))

thread = threading.Thread(target=count)
thread.start()
for _ in range(100):
    child = os.fork()
    if not child:
        drive(ledger.reserve(claims, runtime, 60.0))
        amounts = {drive(ledger.used(limit, runtime)) for limit, _ in claims}
        os._exit(len(amounts) - 1)
    assert os.waitpid(child, 0)[1] == 0
over.set()
thread.join()
"""


def test_a_fork_in_the_middle_of_counting():
    """While a thread counts, children of its process find whole counts, and no lock that nobody gives back."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", FORKS],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")
