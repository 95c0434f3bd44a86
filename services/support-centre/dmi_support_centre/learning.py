"""Learning a forecast in a process of its own: ``python -m dmi_support_centre.learning``.

It takes some seconds and tens of megabytes. In a process of its own, of low priority and with one thread for
linear algebra, it holds up neither the gates nor the live data, and gives its memory back. History goes in and
the model comes out as pickles over pipes between the two, never from anywhere else.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import threading

from dmi_support_centre.models.forecast import History, OccupancyForecaster

ONE_THREAD = dict.fromkeys(
    ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"), "1"
)
LONGEST_SECONDS = 900
POLITENESS = 10


class LearningFailed(RuntimeError):
    """The process that learns ended without a model."""


class LearningStopped(LearningFailed):
    """The service stops, and what was being learned with it."""


class Learner:
    """Learns in a process of its own; ``stop`` ends one that is at work."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._stopped = False

    def __call__(self, zone: str, history: History) -> OccupancyForecaster:
        """A model that has learned from ``history``; raises ``LearningFailed``, ``LearningStopped`` after ``stop``."""
        with self._lock:
            if self._stopped:
                raise LearningStopped("the service stops")
            process = subprocess.Popen(
                [sys.executable, "-m", "dmi_support_centre.learning"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env={**os.environ, **ONE_THREAD},
            )
            self._process = process
        try:
            out, err = process.communicate(pickle.dumps((zone, dict(history))), timeout=LONGEST_SECONDS)
        except subprocess.TimeoutExpired as exc:
            process.kill()
            process.communicate()
            raise LearningFailed(f"took longer than {LONGEST_SECONDS} s") from exc
        finally:
            with self._lock:
                self._process = None
        if process.returncode != 0:
            if self._stopped:
                raise LearningStopped("the service stops")
            last = err.decode(errors="replace").strip().splitlines()[-1:]
            raise LearningFailed(f"ended with {process.returncode}: {' '.join(last)}")
        model = pickle.loads(out)
        if not isinstance(model, OccupancyForecaster):
            raise LearningFailed(f"gave a {type(model).__name__}, not a model")
        return model

    def start(self) -> None:
        """Nothing runs until something is to be learned."""

    def stop(self) -> None:
        """End the process at work, if there is one."""
        with self._lock:
            self._stopped = True
            if self._process is not None:
                self._process.kill()


def main() -> None:
    """Read a zone and a history from standard input, write the model to standard output."""
    os.nice(POLITENESS)
    zone, history = pickle.load(sys.stdin.buffer)
    model = OccupancyForecaster(zone)
    model.fit(history)
    pickle.dump(model, sys.stdout.buffer)


if __name__ == "__main__":
    main()
