"""TLD402: a limit of OpenCV's threads that does not reach the workers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from flake8_torchloader.families.opencv import FICTITIOUS, LIMIT, VARIABLE, judge_threads
from flake8_torchloader.module import Call, Module, Place
from flake8_torchloader.rule import Hazard, Rule
from flake8_torchloader.start_method import ALL_METHODS, PICKLING_METHODS
from flake8_torchloader.trial import Run, Trial
from flake8_torchloader.verdict import Suspect, Verdict

_SETTINGS = (LIMIT, "cv2.getNumThreads", "cv2.ocl.setUseOpenCL", "cv2.setUseOptimized")


class OpenCVLimitNotInWorker(Rule):
    """The program limits OpenCV's threads, but where or how the workers never notice.

    What goes wrong
    ---------------
    `cv2.setNumThreads` under the main guard, or in a dataset's `__init__`, acts in the parent. Under
    fork the workers inherit it; under spawn and forkserver they start with one thread per core
    again. `OPENCV_OPENMP_NUM_THREADS` has no effect anywhere: OpenCV reads no such variable (the one
    it reads is `OPENCV_FOR_THREADS_NUM`).

    How it is proved
    ----------------
    The program is run under each start method: `cv2.getNumThreads()` above 1 inside a worker that
    calls OpenCV confirms it.

    Example
    -------
        import cv2
        import numpy as np
        from torch.utils.data import Dataset


        class Blurred(Dataset):
            def __init__(self):
                cv2.setNumThreads(0)

            def __getitem__(self, index):
                return cv2.GaussianBlur(np.zeros((256, 256, 3), np.uint8), (5, 5), 0)

            def __len__(self):
                return 8

    Use instead
    -----------
        import cv2
        import numpy as np
        from torch.utils.data import Dataset

        cv2.setNumThreads(0)


        class Blurred(Dataset):
            def __getitem__(self, index):
                return cv2.GaussianBlur(np.zeros((256, 256, 3), np.uint8), (5, 5), 0)

            def __len__(self):
                return 8

    Does not see
    ------------
    Functions of which no caller is seen. A limit in a file that this one imports silences it, wherever
    it stands there.
    """

    code = "TLD402"
    name = "opencv-limit-not-in-worker"
    message = "{limit} does not reach the workers {methods}; call cv2.setNumThreads(0) at module level"
    message_in_notebook = (
        "{limit} does not reach the workers {methods}; call cv2.setNumThreads(0) in the module of the dataset"
    )
    trials = (Trial.CONTROL, Trial.FORK, Trial.FORKSERVER, Trial.SPAWN)

    def check(self, module: Module) -> Iterator[Hazard]:
        """Limits in the wrong place, unless another one of the file is in the right place."""
        limits = [call for call in module.calls if call.name == LIMIT and (call.places or call.site is None)]
        if not self._concerns_workers(module) or any(_may_reach(limit) for limit in limits) or _by_variable(module):
            return
        busy = [loader.methods for loader in module.loaders if loader.has_workers]
        methods = PICKLING_METHODS & (frozenset().union(*busy) if busy else ALL_METHODS)
        for limit in limits:
            yield Hazard(limit.site, {"limit": "cv2.setNumThreads here"}, methods)
        for variable in module.variables:
            if variable.name == FICTITIOUS:
                yield Hazard(variable.site, {"limit": FICTITIOUS}, ALL_METHODS)

    def judge(self, runs: Mapping[Trial, Run], suspect: Suspect) -> Verdict:
        """Confirmed by several threads in a worker that calls OpenCV."""
        return judge_threads(runs, self.trials, suspect)

    @staticmethod
    def _concerns_workers(module: Module) -> bool:
        """Whether workers run OpenCV here, or the file only starts them and uses OpenCV for nothing else."""
        if any(Place.WORKER in call.places for call in module.calls):
            return True
        is_unused = all(call.name in _SETTINGS for call in module.calls)
        return is_unused and any(loader.has_workers for loader in module.loaders)


def _may_reach(limit: Call) -> bool:
    """Whether a limit acts in the workers; one of another file may, unless it is known not to."""
    return limit.site is None or bool(limit.places & {Place.IMPORT, Place.WORKER})


def _by_variable(module: Module) -> bool:
    return any(variable.name == VARIABLE for variable in module.variables)
