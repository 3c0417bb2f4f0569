"""The IterableDatasets whose workers all go through all of the data.

A class is spoken of only where its `__iter__` is seen to loop over something whole: a list, a file, an index. Anything
that may give each worker a part of its own is trusted to do so.
"""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from flake8_torchloader.reading.facts.datasets import DatasetClass, DatasetReader
from flake8_torchloader.reading.facts.loaders import LoaderCall
from flake8_torchloader.reading.facts.loop_text import identifiers
from flake8_torchloader.reading.facts.wholes import Outermost, Wholes
from flake8_torchloader.reading.flow.leaves import Defined
from flake8_torchloader.reading.flow.names import Names
from flake8_torchloader.reading.tree.guards import dotted, last_name
from flake8_torchloader.reading.tree.scopes import Scope
from flake8_torchloader.reading.tree.walk import below
from flake8_torchloader.wrong_data import Stream

_STREAMS = ("torch.utils.data.IterableDataset", "torch.utils.data.dataset.IterableDataset")
_SPLITS = ("shard", "split_by", "split_dataset", "get_worker_info")


class StreamReader:
    """Finds the streams of one file that no worker takes its part of."""

    def __init__(self, names: Names, datasets: DatasetReader) -> None:
        self.names = names
        self.datasets = datasets
        self.wholes = Wholes(names, datasets.places)

    def read(self) -> Iterator[Stream]:
        """Each class once, at the first thing that its `__iter__` loops over."""
        for dataset in self.datasets.by_scope.values():
            iterate = self.names.method(dataset.scope, "__iter__")
            is_stream = any(name in _STREAMS for name in self.names.base_names(dataset.scope))
            if not is_stream or iterate is None or not self.names.is_own(iterate):
                continue
            sources = self.wholes.of_function(iterate)
            if sources and self._may_repeat(dataset) and not self._is_split(dataset, iterate):
                yield Stream(
                    site=sources[0].source,
                    source=_spell(sources[0]),
                    dataset=dataset.scope.name,
                    methods=dataset.methods,
                    loaders=dataset.sites,
                )

    def _may_repeat(self, dataset: DatasetClass) -> bool:
        """Whether several workers may iterate it: those of a loader that it is seen to reach, or may well reach."""
        is_lost = dataset.scope.is_local and not dataset.loaders
        loaders = dataset.loaders or ([] if is_lost else self.datasets.takers.of(dataset.scope))
        return any(_has_several(loader) for loader in loaders if loader.has_workers)

    # --- who splits it

    def _is_split(self, dataset: DatasetClass, iterate: Scope) -> bool:
        classes = [dataset.scope, *self.names.bases(dataset.scope)]
        functions = self.datasets.places.below([iterate])
        if any(self._speaks_of_workers(scope) for scope in (*classes, *functions)):
            return True
        if dataset.loaders:
            return any(self._inits_split(loader) for loader in dataset.loaders)
        others = {s for one in self.datasets.by_scope.values() for s in one.scope.methods()}
        return any(
            last_name(call.node) == "get_worker_info" and call.spot.scope.function not in others
            for call in self.names.file.calls
        )

    def _speaks_of_workers(self, scope: Scope) -> bool:
        """Whether a class or function has a name for workers, or calls what gives out parts."""
        nodes = list(below(scope.node))
        if any("worker" in name.lower() for name in identifiers(nodes)):
            return True
        return any(isinstance(node, cst.Call) and last_name(node).startswith(_SPLITS) for node in nodes)

    def _inits_split(self, loader: LoaderCall) -> bool:
        """Whether a loader's `worker_init_fn` may give each worker its part."""
        leaves = [leaf for given in loader.arguments.of("worker_init_fn") for leaf in self.names.sources(given)]
        scopes = [leaf.scope for leaf in leaves if isinstance(leaf, Defined)]
        if len(scopes) < len(leaves):
            return True
        functions = self.datasets.places.below(scopes)
        return any("dataset" in identifiers(below(function.node)) for function in functions)


def _has_several(loader: LoaderCall) -> bool:
    """Whether a loader may have more than one worker; where 1 is all that is known, it is taken to be so."""
    return loader.workers.largest > 1 and loader.workers.constants != (1,)


def _spell(outermost: Outermost) -> str:
    """What a message calls that which is looped over."""
    called = last_name(outermost.whole.node)
    return dotted(outermost.source.node) or dotted(outermost.whole.node) or (f"{called}(...)" if called else "its data")
