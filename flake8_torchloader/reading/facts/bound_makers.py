"""What is known of calls that make something which belongs to the process that made it."""

from __future__ import annotations

from collections.abc import Mapping

from flake8_torchloader.kept import BoundKind

_MAKERS: Mapping[BoundKind, frozenset[str]] = {
    BoundKind.THREADING: frozenset({
        "threading.Lock", "threading.RLock", "threading.Event", "threading.Condition", "threading.Semaphore",
        "threading.BoundedSemaphore", "threading.Barrier", "threading.local", "threading.Thread", "threading.Timer",
        "queue.Queue", "queue.SimpleQueue", "queue.LifoQueue", "queue.PriorityQueue", "asyncio.new_event_loop",
        "concurrent.futures.ThreadPoolExecutor", "concurrent.futures.thread.ThreadPoolExecutor",
        "concurrent.futures.ProcessPoolExecutor", "concurrent.futures.process.ProcessPoolExecutor",
        "multiprocessing.pool.ThreadPool", "multiprocessing.pool.Pool", "multiprocessing.Pool",
        "multiprocessing.dummy.Pool", "torch.multiprocessing.Pool", "multiprocessing.Manager",
        "torch.multiprocessing.Manager",
    }),
    BoundKind.GENERATOR: frozenset({"os.walk", "os.scandir", "glob.iglob", "re.finditer"}),
    BoundKind.MODULE: frozenset({"importlib.import_module", "builtins.__import__"}),
    BoundKind.WRITER: frozenset({
        "torch.utils.tensorboard.SummaryWriter", "tensorboardX.SummaryWriter", "csv.writer", "csv.DictWriter",
        "logging.StreamHandler", "logging.FileHandler", "logging.handlers.RotatingFileHandler", "tqdm.tqdm",
        "tqdm.trange", "tqdm.auto.tqdm", "tqdm.auto.trange", "cv2.VideoWriter",
    }),
    BoundKind.CONNECTION: frozenset({
        "pymongo.MongoClient", "redis.Redis", "redis.StrictRedis", "boto3.client", "boto3.resource", "boto3.Session",
        "boto3.session.Session", "subprocess.Popen",
    }),
    BoundKind.NATIVE: frozenset({
        "torch.jit.script", "torch.jit.trace", "torch.jit.load", "weakref.ref", "weakref.WeakValueDictionary",
        "weakref.WeakSet", "argparse.ArgumentParser",
    }),
    BoundKind.RANDOM: frozenset({"torch.Generator"}),
}  # fmt: skip
"""What makes them, each tried with real workers or a real pickler; `logging.getLogger` is none: it is sent by name."""

BOUND = {name: kind for kind, names in _MAKERS.items() for name in names}
"""Which kind of thing a call makes, by its full name."""
