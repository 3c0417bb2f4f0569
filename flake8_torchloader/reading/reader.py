"""One parse, one walk, and the records of a file."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import libcst as cst

from flake8_torchloader.gate import SETTER, speaks_of_torch
from flake8_torchloader.module import Module, Variable
from flake8_torchloader.reading.facts.arrays import ArrayReader
from flake8_torchloader.reading.facts.bound import BoundReader
from flake8_torchloader.reading.facts.changes import ChangeReader, may_change_late
from flake8_torchloader.reading.facts.constructions import ConstructionReader
from flake8_torchloader.reading.facts.crossings import CrossingReader
from flake8_torchloader.reading.facts.cuda import CudaReader
from flake8_torchloader.reading.facts.datasets import DatasetReader
from flake8_torchloader.reading.facts.generators import GeneratorReader
from flake8_torchloader.reading.facts.handles import HandleReader
from flake8_torchloader.reading.facts.keepsakes import KeepsakeReader
from flake8_torchloader.reading.facts.loaders import LoaderReader
from flake8_torchloader.reading.facts.main_only import MainOnlyReader
from flake8_torchloader.reading.facts.models import ModelReader
from flake8_torchloader.reading.facts.objects import ObjectReader
from flake8_torchloader.reading.facts.opencv_calls import OpenCVReader
from flake8_torchloader.reading.facts.restarts import RestartReader
from flake8_torchloader.reading.facts.samplers import SamplerReader
from flake8_torchloader.reading.facts.seeds import SeedReader
from flake8_torchloader.reading.facts.start_methods import StartMethodReader
from flake8_torchloader.reading.facts.streams import StreamReader
from flake8_torchloader.reading.facts.writes import WriteReader
from flake8_torchloader.reading.flow.arguments import ArgumentReader
from flake8_torchloader.reading.flow.contents import Contents
from flake8_torchloader.reading.flow.exact import ExactReader
from flake8_torchloader.reading.flow.names import Names
from flake8_torchloader.reading.flow.places import Places
from flake8_torchloader.reading.flow.values import Values
from flake8_torchloader.reading.tree.collect import Collector
from flake8_torchloader.reading.tree.parsing import parse
from flake8_torchloader.reading.tree.positions import Positions
from flake8_torchloader.reading.tree.scopes import Expression
from flake8_torchloader.reading.tree.walk import walk
from flake8_torchloader.settings import Settings


def read_module(
    text: str, tree: ast.Module, path: Path | None, settings: Settings, *, is_notebook: bool = False
) -> Module:
    """Read a file into records; raises what libcst raises where it can't parse.

    With its absolute `path`, what it imports from its project is looked up there, as far as the settings allow.
    """
    parsed = parse(text, tree)
    file = Collector(parsed.module)
    if is_notebook:
        file.guard_rest()
    walk(parsed.module, file)
    names = Names(file, path, settings)
    arguments, values, places = ArgumentReader(names), Values(names), Places(names)
    contents = Contents(names, arguments)
    exact = ExactReader(names, arguments)
    loaders = LoaderReader(names, arguments, values, places, may_set_method=SETTER in text)
    datasets = DatasetReader(names, contents, loaders, places, speaks_of_torch=speaks_of_torch(text))
    keepsakes = KeepsakeReader(names, contents, datasets)
    positions = Positions(text, parsed, tree, names)
    return Module(
        loaders=tuple(loaders.records()),
        models=tuple(ModelReader(names, places).read()),
        crossings=tuple(CrossingReader(names, contents, loaders, datasets).read()),
        arrays=tuple(ArrayReader(names, values, datasets).read()),
        handles=tuple(HandleReader(names, keepsakes).read()),
        bound=tuple(BoundReader(names, keepsakes).read()),
        main_only=tuple(MainOnlyReader(names, loaders, datasets, places).read()),
        start_methods=tuple(StartMethodReader(names, values, places, loaders, tree).read() if SETTER in text else ()),
        calls=tuple(OpenCVReader(names, values, datasets).read(tree)),
        variables=tuple(_variables(file, names, places, values)),
        generators=tuple(GeneratorReader(names, values, places, datasets).read()),
        is_notebook=is_notebook,
        constructions=tuple(ConstructionReader(names, exact, values, loaders, datasets).read()),
        restarts=tuple(RestartReader(names, exact, values, places, loaders).read()),
        objects=tuple(ObjectReader(names, values, datasets).read()),
        writes=tuple(WriteReader(names, datasets).read()),
        cuda=tuple(CudaReader(names, values, contents, datasets).read(text)),
        streams=tuple(StreamReader(names, datasets).read()),
        samplers=tuple(SamplerReader(names, arguments, loaders).read(text, tree)),
        changes=tuple(ChangeReader(names, loaders, datasets).read()) if may_change_late(text) else (),
        seedings=tuple(SeedReader(names, loaders).read()),
        span=positions,
        elsewhere=positions.elsewhere,
        forget=names.forget,
    )


def _variables(file: Collector, names: Names, places: Places, values: Values) -> Iterator[Variable]:
    """`os.environ["X"] = ...`, `os.environ.setdefault("X", ...)`, `os.putenv("X", ...)`."""
    for target, value in file.writes:
        node = target.node
        if isinstance(node, cst.Subscript) and names.name_of(target.of(node.value)) == "os.environ":
            index = node.slice[0].slice
            key = target.of(index.value) if isinstance(index, cst.Index) else None
            yield from _variable(target, key, value, places, values)
    for call in file.calls:
        node = call.node
        if isinstance(node, cst.Call) and names.callee_name(call) == "os.environ.update":
            for key, value in _updated(call):
                yield from _variable(call, key, value, places, values)
        is_setter = names.callee_name(call) in ("os.environ.setdefault", "os.putenv")
        if is_setter and isinstance(node, cst.Call) and len(node.args) == 2:
            key, value = (call.of(arg.value) for arg in node.args)
            yield from _variable(call, key, value, places, values)


def _updated(call: Expression) -> Iterator[tuple[Expression, Expression]]:
    """The keys and values of `update({...})`."""
    for arg in call.node.args if isinstance(call.node, cst.Call) else ():
        for element in arg.value.elements if isinstance(arg.value, cst.Dict) else ():
            if isinstance(element, cst.DictElement):
                yield call.of(element.key), call.of(element.value)


def _variable(
    site: Expression, key: Expression | None, value: Expression, places: Places, values: Values
) -> Iterator[Variable]:
    name = values.value(key).only if key is not None else None
    if isinstance(name, str):
        yield Variable(site, name, values.value(value), places.of(site.spot))
