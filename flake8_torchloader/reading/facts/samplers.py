"""The samplers that divide a shuffled dataset among processes, and are never told the epoch."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import libcst as cst

from flake8_torchloader.reading.facts.branches import Branches
from flake8_torchloader.reading.facts.epochs import Epochs
from flake8_torchloader.reading.facts.loaders import LoaderCall, LoaderReader
from flake8_torchloader.reading.flow.arguments import ArgumentReader, Arguments
from flake8_torchloader.reading.flow.leaves import Literal
from flake8_torchloader.reading.flow.names import Names
from flake8_torchloader.reading.project.import_time import imported_files
from flake8_torchloader.reading.project.outline import imported_names
from flake8_torchloader.reading.relevance import may_lack_epochs, tells_epochs
from flake8_torchloader.reading.tree.guards import dotted
from flake8_torchloader.reading.tree.scopes import Block, Expression
from flake8_torchloader.wrong_data import Sampler

_SAMPLERS = frozenset({"torch.utils.data.DistributedSampler", "torch.utils.data.distributed.DistributedSampler"})
_SIGNATURE = ("dataset", "num_replicas", "rank", "shuffle", "seed", "drop_last")
_EVALUATES = re.compile(r"val|test|eval|dev|infer|predict", re.IGNORECASE)
"""What is called so is not trained on: its order makes no difference."""

_NO_EPOCHS = re.compile(r"fold|trial|seed|run", re.IGNORECASE)


class SamplerReader:
    """Finds the samplers of one file that begin each epoch alike."""

    def __init__(self, names: Names, arguments: ArgumentReader, loaders: LoaderReader) -> None:
        self.names = names
        self.arguments = arguments
        self.loaders = loaders
        self.epochs = Epochs(names, loaders)
        self.branches = Branches(loaders.values)

    def read(self, text: str, tree: ast.Module) -> Iterator[Sampler]:
        """Each sampler once, for the first loader and loop over epochs that it serves."""
        if may_lack_epochs(text):
            yield from self._own()
        if not tells_epochs(text):
            yield from self._from_elsewhere(tree)

    def _own(self) -> Iterator[Sampler]:
        for call in self.names.file.calls:
            if self.names.callee_name(call) not in _SAMPLERS or not self._shuffles(call):
                continue
            for loader in self.loaders.calls:
                loop = self._loop(call, loader) if self._is_sampler_of(call, loader) else None
                if loop is not None and loop.loop is not None:
                    yield Sampler(call, self._name(call, loader), self.loaders.name(loader), loop.loop, (loader.call,))
                    break

    def _from_elsewhere(self, tree: ast.Module) -> Iterator[Sampler]:
        """The samplers that other files make, if nothing that is imported tells the epoch: where a loader gets one."""
        for loader in self.loaders.calls:
            made = [call for call in self._samplers(loader) if self.names.own(call) is not call]
            found = [call for call in made if self._shuffles(call) and not self.branches.exclude(call)]
            loop = self._loop(loader.call, loader) if found and loader.site is not None else None
            if loop is not None and loop.loop is not None and loader.site is not None and not self._is_told(tree):
                yield Sampler(loader.site, self._name(found[0], loader), self.loaders.name(loader), loop.loop)

    def _samplers(self, loader: LoaderCall) -> list[Expression]:
        leaves = [leaf for one in loader.arguments.of("sampler") for leaf in self.names.sources(one)]
        calls = [leaf.expression for leaf in leaves if isinstance(leaf, Literal)]
        return [call for call in calls if self.names.callee_name(call) in _SAMPLERS]

    def _is_told(self, tree: ast.Module) -> bool:
        """Whether a file that runs with this one speaks of telling samplers the epoch."""
        imports = self.names.imports
        files = imported_files(imports, imported_names(tree)) if imports is not None else iter(())
        return any(tells_epochs(file.text) for file in files)

    def _name(self, call: Expression, loader: LoaderCall) -> str:
        """What a message calls the sampler: the variable that it goes to, else the one that the loader is given."""
        given = [dotted(argument.node) for argument in loader.arguments.of("sampler")]
        return self._own_name(call) or next(filter(None, given), "") or "the sampler"

    def _own_name(self, call: Expression) -> str:
        """The variable that a sampler goes to, wherever it is made; empty if there is none."""
        return self.names.file.names.get(id(call.node)) or self.names.name_elsewhere(call)

    def _given(self, call: Expression) -> Arguments:
        return self.arguments.read(call, _SIGNATURE)

    def _shuffles(self, call: Expression) -> bool:
        """Whether it shuffles for sure, what it is trained with: that is the default."""
        given = self._given(call)
        shuffle = self.loaders.values.union(given.of("shuffle"))
        if given.of("shuffle") and shuffle.only is not True:
            return False
        names = [self._own_name(call), *(dotted(e.node) for e in given.of("dataset"))]
        return not any(_EVALUATES.search(name) for name in names)

    def _is_sampler_of(self, call: Expression, loader: LoaderCall) -> bool:
        """Whether a loader takes its order from this sampler, through a batch sampler perhaps."""
        given = [*loader.arguments.of("sampler"), *loader.arguments.of("batch_sampler")]
        leaves = [leaf for one in given for leaf in self.names.sources(one) if isinstance(leaf, Literal)]
        inner = [
            deeper
            for leaf in leaves
            for arg in (leaf.node.args if isinstance(leaf.node, cst.Call) else ())
            for deeper in self.names.sources(leaf.expression.of(arg.value))
        ]
        return any(isinstance(leaf, Literal) and leaf.node is call.node for leaf in (*leaves, *inner))

    def _loop(self, call: Expression, loader: LoaderCall) -> Block | None:
        """The loop over epochs, wherever in the file it stands."""
        if _EVALUATES.search(self.loaders.name(loader)):
            return None
        for block in self.epochs.anywhere(loader):
            is_outside = not block.encloses(call.spot.block)
            if is_outside and self.epochs.is_epoch(block) and not _NO_EPOCHS.search(_target(block)):
                return block
        return None


def _target(block: Block) -> str:
    """The variable of a loop."""
    node = block.loop.node if block.loop is not None else None
    return dotted(node.target) if isinstance(node, cst.For) else ""
