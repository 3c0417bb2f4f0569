"""TLD401: OpenCV's own threads inside worker processes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from flake8_torchloader.families.opencv import FICTITIOUS, LIMIT, SERIAL, SIZED, VARIABLE, judge_threads
from flake8_torchloader.module import Call, Module, Place
from flake8_torchloader.rule import Hazard, Rule
from flake8_torchloader.trial import Run, Trial
from flake8_torchloader.verdict import Suspect, Verdict


class OpenCVThreadsInWorker(Rule):
    """Worker code calls OpenCV, which starts as many threads as there are cores in every worker.

    What goes wrong
    ---------------
    Each worker gets a thread pool of its own: 8 workers on 16 cores may run 128 threads. Under fork,
    a worker whose parent has already used OpenCV's pool can hang.

    How it is proved
    ----------------
    The program is run under each start method: `cv2.getNumThreads()` above 1 inside a worker that
    calls OpenCV, or the hang, confirms it.

    Example
    -------
        import cv2
        import numpy as np
        from torch.utils.data import Dataset


        class Blurred(Dataset):
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
    OpenCV used by a library. A limit in a module that the file imports, in a package that it lies in, or in a script
    that imports it, silences it, and so does a `cv2` imported through a module that can't be found. Reading and
    decoding images, `erode`, `filter2D`, `medianBlur` and geometry start no threads and are not reported; small images
    that are resized or converted start none either, but are reported. Always limit to 0: under fork, `setNumThreads(1)`
    in a worker deadlocks if the parent has used OpenCV before. A dataset that the files which import it give to loaders
    without workers only is left alone.
    """

    code = "TLD401"
    name = "opencv-threads-in-worker"
    message = (
        "{function} runs in workers: every worker starts a thread per core; call "
        "cv2.setNumThreads(0) at module level"
    )
    trials = (Trial.CONTROL, Trial.FORK, Trial.FORKSERVER, Trial.SPAWN)

    def check(self, module: Module) -> Iterator[Hazard]:
        """The first threaded call in worker code, where nothing limits the threads; one of this file before others."""
        if any(call.name == LIMIT for call in module.calls) or _by_environment(module):
            return
        own = (call for call in module.calls if call.site is not None)
        threaded = [call for call in own if _is_threaded(call) and Place.WORKER in call.places]
        if any(call.through for call in threaded):
            return
        first = min(threaded, key=lambda call: (bool(call.inside), module.span(call.site)), default=None)
        if first is not None:
            function = f"{first.name} in {first.inside}" if first.inside else first.name
            yield Hazard(first.site, {"function": function})

    def judge(self, runs: Mapping[Trial, Run], suspect: Suspect) -> Verdict:
        """Confirmed by several threads in a worker that calls OpenCV, or by its hang on this line."""
        return judge_threads(runs, self.trials, suspect)


def _by_environment(module: Module) -> bool:
    """Whether an environment variable, effective or meant to be, limits the threads."""
    return any(v.name in (VARIABLE, FICTITIOUS) for v in module.variables)


def _is_threaded(call: Call) -> bool:
    """Whether a call starts threads; where another file makes it, whatever the size of the image."""
    name = call.name.removeprefix("cv2.")
    return "." not in name and name not in SERIAL and not (call.inside and name in SIZED)
