"""Where a file uses CUDA: in what its loaders send to their workers, and while it is being imported."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import libcst as cst

from flake8_torchloader.module import CudaUse, Place
from flake8_torchloader.reading.facts.datasets import DatasetReader
from flake8_torchloader.reading.facts.devices import Devices
from flake8_torchloader.reading.facts.loaders import LoaderCall
from flake8_torchloader.reading.flow.contents import Contents
from flake8_torchloader.reading.flow.leaves import Literal
from flake8_torchloader.reading.flow.names import Names
from flake8_torchloader.reading.flow.places import Places
from flake8_torchloader.reading.flow.values import Values
from flake8_torchloader.reading.known import MODEL_BASES
from flake8_torchloader.reading.tree.scopes import Expression, Running, Scope
from flake8_torchloader.reading.tree.walk import below
from flake8_torchloader.start_method import StartMethod

_SENT = ("dataset", "collate_fn", "worker_init_fn")


class CudaReader:
    """Finds the uses of CUDA in one file that has to do with workers.

    What a class of datasets does in its methods counts only where a loader with workers is seen to get it: code that
    uses CUDA there crashes at once under fork, so what is left of it in the world is loaded without workers.
    """

    def __init__(self, names: Names, values: Values, contents: Contents, datasets: DatasetReader) -> None:
        self.file = names.file
        self.names = names
        self.contents = contents
        self.datasets = datasets
        self.places: Places = datasets.places
        self.devices = Devices(names, values)
        self.busy = [loader for loader in datasets.loaders.calls if loader.has_workers]

    def read(self, text: str) -> Iterator[CudaUse]:
        """Every use once: what the loaders send is on CUDA, their workers use it, importing the file does."""
        seen: set[int] = set()
        own = (*self._kept(), *self._at_import()) if self.busy and "cuda" in text else ()
        for use in (*own, *self._in_workers()):
            key = id(use.site.node) if isinstance(use.site, Expression) else 0
            if key not in seen:
                seen.add(key)
                yield use

    def _kept(self) -> Iterator[CudaUse]:
        """What travels to the workers, and lies on a CUDA device."""
        senders: dict[int, tuple[Expression, list[LoaderCall]]] = {}
        for loader in self.busy:
            for slot in _SENT:
                for argument in loader.arguments.of(slot):
                    for call in (one for one in self._on_cuda(argument) if not _may_exclude(loader, one)):
                        senders.setdefault(id(call.node), (call, []))[1].append(loader)
        for call, loaders in senders.values():
            if self._is_told_here(call, loaders):
                yield self._record(call, self.devices.use(call), Place.BUILD, loaders)

    def _on_cuda(self, argument: Expression) -> Iterator[Expression]:
        for leaf, mention in self.contents.of(argument):
            at = leaf.expression if isinstance(leaf, Literal) else mention
            call = self.devices.kept(mention) or self.devices.kept(at)
            if call is not None:
                yield call

    def _in_workers(self) -> Iterator[CudaUse]:
        """The first use in each function that workers run."""
        for function, loaders in self._worker_functions().items():
            all_of = self.names.calls_in(function) if self.devices.may_use(function) else ()
            calls = (call for call in all_of if call.spot.running is not Running.NEVER)
            used = ((call, self.devices.use(call)) for call in calls if not _is_for_parent(call))
            first = next(((call, use) for call, use in used if use), None)
            senders = [one for one in loaders if first is not None and not _may_exclude(one, first[0])]
            if first is not None and senders and self._is_told_here(first[0], senders):
                yield self._record(*first, Place.WORKER, senders)

    def _is_told_here(self, call: Expression, loaders: Iterable[LoaderCall]) -> bool:
        """Whether a use stands here, or at least a loader that sends it: else the file of that loader tells it."""
        return self.names.is_own(call.spot.scope) or any(loader.site is loader.call for loader in loaders)

    def _worker_functions(self) -> dict[Scope, list[LoaderCall]]:
        """The functions that workers run, and which loaders start those.

        A network that comes along may be of use to the parent alone: it counts where worker code calls it.
        """
        found: dict[Scope, list[LoaderCall]] = {}
        for root, loaders in self.datasets.run_by.items():
            is_network = root.owner is not None and not MODEL_BASES.isdisjoint(self.names.base_names(root.owner))
            for function in () if is_network else self.places.below([root]):
                known = found.setdefault(function, [])
                known += [loader for loader in loaders if loader not in known]
        return found

    def _at_import(self) -> Iterator[CudaUse]:
        """What initialises CUDA in each process that imports the file; networks that are moved there are left alone."""
        loops = [use for loader in self.busy for use in loader.uses if Place.IMPORT in self.places.of(use.spot)]
        for call in self.file.calls:
            is_run = Place.IMPORT in self.places.of(call.spot) and _comes_before(call, loops)
            use = self.devices.use(call) if is_run else ""
            is_layer = use.startswith("torch.nn.")
            if use and not is_layer and (not use.startswith(".") or self.devices.is_on_tensor(call)):
                yield self._record(call, use, Place.IMPORT, self.busy)

    def _record(self, call: Expression, use: str, place: Place, loaders: Iterable[LoaderCall]) -> CudaUse:
        """The record of a use; of one in another file, it stands at the first loader that sends it there."""
        methods: frozenset[StartMethod] = frozenset().union(*(loader.methods for loader in loaders))
        senders = tuple(site for loader in loaders for site in loader.sites)
        if self.names.is_own(call.spot.scope):
            return CudaUse(call, use, place, methods, senders)
        return CudaUse(senders[0], _function_name(call) or use, place, methods, senders, at=call)


def _may_exclude(loader: LoaderCall, call: Expression) -> bool:
    """Whether a loader that has no workers in some case may be in that case when CUDA is used in some case."""
    return 0 in loader.workers.constants and not call.spot.block.is_certain


def _function_name(call: Expression) -> str:
    """The function that a line stands in, as in `Squares.__getitem__`."""
    function = call.spot.scope.function
    names = [scope.name for scope in (function and function.owner, function) if scope is not None]
    return ".".join(names)


def _comes_before(call: Expression, loops: Iterable[Expression]) -> bool:
    """Whether a line is run before loops over loaders at import, which end a worker that imports the file.

    Of a function that is called at import it isn't known when; where there are such loops, it counts as later.
    """
    at_top = [loop.spot.top for loop in loops if loop.spot.scope.function is None]
    return not loops or call.spot.scope.function is None and all(call.spot.top < top for top in at_top)


def _is_for_parent(call: Expression) -> bool:
    """Whether a line asks first whether it runs in a worker, or whether there are any."""
    block = call.spot.block
    while block.parent is not None and block.scope is call.spot.block.scope:
        if block.test is not None and any("worker" in name for name in _names(block.test)):
            return True
        block = block.parent
    return False


def _names(test: cst.CSTNode) -> Iterator[str]:
    for node in below(test):
        if isinstance(node, cst.Name):
            yield node.value
