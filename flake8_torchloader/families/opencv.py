"""The threads that OpenCV starts in workers, as runs of a program show them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from flake8_torchloader.trial import Ending, Run, Trial
from flake8_torchloader.verdict import Evidence, Outcome, Reason, Suspect, Verdict, settle, unknown
from flake8_torchloader.worker_seen import FirstFetch

LIMIT = "cv2.setNumThreads"
VARIABLE = "OPENCV_FOR_THREADS_NUM"
"""The environment variable that OpenCV reads."""

FICTITIOUS = "OPENCV_OPENMP_NUM_THREADS"
"""One that it does not read, though tutorials say so."""

SERIAL = frozenset({
    "imread", "imdecode", "imencode", "imwrite", "flip", "VideoCapture", "setNumThreads", "rectangle", "line",
    "putText", "circle", "polylines", "getTextSize", "imshow", "waitKey", "destroyAllWindows", "getNumThreads",
    "VideoWriter", "VideoWriter_fourcc", "imreadmulti", "haveImageReader", "useOptimized", "setUseOptimized",
    "boundingRect", "contourArea", "setRNGSeed", "getRotationMatrix2D", "getAffineTransform",
    "getPerspectiveTransform", "setUseOpenCL", "ellipse", "fillPoly", "drawContours", "destroyWindow", "split",
    "merge", "copyMakeBorder", "bitwise_and", "bitwise_or", "bitwise_not", "bitwise_xor", "add", "subtract",
    "multiply", "divide", "absdiff", "addWeighted", "inRange", "normalize", "rotate", "transpose", "hconcat",
    "vconcat", "mean", "countNonZero", "minMaxLoc", "convertScaleAbs", "min", "max", "compare", "floodFill",
    "perspectiveTransform", "approxPolyDP", "convexHull", "minAreaRect", "getStructuringElement", "error",
    "arcLength", "moments", "getRectSubPix", "fillConvexPoly", "boxPoints", "Rodrigues", "randu", "projectPoints",
    "solvePnP", "invertAffineTransform", "pointPolygonTest", "solvePnPRansac", "decomposeProjectionMatrix",
    "findHomography", "findEssentialMat", "estimateAffine2D", "estimateAffinePartial2D", "triangulatePoints",
    "undistortPoints", "convertPointsToHomogeneous", "getOptimalNewCameraMatrix", "erode", "dilate", "morphologyEx",
    "filter2D", "sepFilter2D", "Sobel", "Scharr", "Laplacian", "blur", "boxFilter", "medianBlur", "pyrUp", "integral",
    "dft", "matchTemplate", "watershed", "inpaint", "cornerSubPix", "HoughLinesP", "convertMaps", "transform", "norm",
    "magnitude", "phase", "cartToPolar", "polarToCart", "pow", "sqrt", "exp", "log", "meanStdDev", "sumElems",
    "mixChannels", "extractChannel", "insertChannel", "repeat", "accumulateWeighted", "getGaussianKernel",
    "getGaborKernel", "fitEllipse", "fitLine", "minEnclosingCircle", "matchShapes", "HuMoments", "drawMarker",
    "arrowedLine", "clipLine", "solve", "invert",
})  # fmt: skip
"""Functions that start no thread: measured with OpenCV 4 and 5 on images of 1000 x 1000 x 3 bytes, as the threads of a
fresh process before and after the call; filters with several kernels, also on float32 and on one channel."""


SIZED = frozenset({"cvtColor", "resize", "threshold", "LUT", "applyColorMap"})
"""Functions that start threads for large images only."""


def judge_threads(runs: Mapping[Trial, Run], trials: Sequence[Trial], suspect: Suspect) -> Verdict:
    """Say whether OpenCV had several threads in workers that use it, or hung on the line of the finding.

    On a machine with one CPU nothing can be shown, nor where OpenCV had the threads and no fetch was seen to use it.
    """

    def harm(run: Run) -> str:
        hangs = run.ending is Ending.TIMED_OUT and runs[Trial.CONTROL].ending is not Ending.TIMED_OUT
        return _many_threads(run) or (_hang(run, suspect) if hangs else "")

    verdict = settle(runs, trials, harm, lambda run: run.passes)
    silent = [runs[one.trial] for one in verdict.evidence if _says_nothing(runs[one.trial])]
    if verdict.outcome is Outcome.REFUTED and silent:
        text = f"{silent[0].cpus} CPUs, and no fetch was seen to call a function of OpenCV"
        return unknown(Reason.NOT_SHOWN, Evidence(silent[0].trial, text))
    return verdict


def _many_threads(run: Run) -> str:
    users = {one.pid: sorted(one.cv2_calls - SERIAL) for one in run.workers}
    many = [one for one in _with_threads(run) if users.get(one.pid)]
    if not many:
        return ""
    workers = len({one.pid for one in many})
    return f"{workers} workers with {many[0].cv2_threads} threads each for {', '.join(users[many[0].pid])}"


def _hang(run: Run, suspect: Suspect) -> str:
    """The line of the finding, if a worker stood there when time was up."""
    here = f'"{suspect.file}", line {suspect.line} '
    workers = {pid for one in run.passes for pid in one.pids}
    stacks = (one.lines[-1] for one in run.stacks if one.pid in workers and one.lines)
    return next((f"hangs in a worker: {line}" for line in stacks if here in line), "")


def _with_threads(run: Run) -> list[FirstFetch]:
    return [one for one in run.first_fetches if one.worker is not None and (one.cv2_threads or 0) > 1]


def _says_nothing(run: Run) -> bool:
    able = {one.pid for one in _with_threads(run)}
    return run.cpus == 1 or bool(able) and not any(one.cv2_calls for one in run.workers if one.pid in able)
