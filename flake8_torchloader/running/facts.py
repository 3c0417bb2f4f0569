"""Events turned into facts, one kind after the other; what joins several events is in `passes` and `fetching`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from flake8_torchloader.observed import (
    CudaAsked,
    Execution,
    LoaderBuilt,
    LoaderRefused,
    MainAgain,
    ModelBuilt,
    ModelHeld,
    Unfit,
    Unpicklable,
)
from flake8_torchloader.running import fields
from flake8_torchloader.running.passes import number_of
from flake8_torchloader.trial import Blocked, Event, Versions
from flake8_torchloader.worker_seen import GlobalSeen, HandleSeen, Sample, Stack

Events = Iterable[Event]


def of_kind(events: Events, *kinds: str) -> Iterator[Event]:
    """The events of some kinds, in order."""
    return (event for event in events if event.kind in kinds)


def versions(events: Events) -> Versions:
    """What the program ran with."""
    started = next((event.fields for event in of_kind(events, "process") if "python" in event.fields), {})
    torch = next((event.fields for event in of_kind(events, "torch")), {})
    return Versions(
        python=fields.text(started, "python"),
        torch=fields.text(torch, "version"),
        cuda=fields.text(torch, "cuda"),
        cuda_devices=fields.number(torch, "devices"),
    )


def executions(events: Events) -> tuple[Execution, ...]:
    """Each execution of a top level."""
    return tuple(Execution(event.pid, fields.text(event.fields, "path")) for event in of_kind(events, "module"))


def main_again(events: Events) -> tuple[MainAgain, ...]:
    """Each time the main module ran in another process."""
    return tuple(
        MainAgain(
            event.pid,
            fields.text(event.fields, "path"),
            fields.real(event.fields, "seconds"),
            fields.number(event.fields, "grown_bytes"),
            fields.failure(event.fields["failure"], event.pid) if event.fields.get("failure") else None,
            has_cuda=event.fields.get("cuda") is True,
        )
        for event in of_kind(events, "main_again")
    )


def cuda_asked(events: Events) -> tuple[CudaAsked, ...]:
    """Each question for a CUDA device, and each attempt to use one."""
    return tuple(
        CudaAsked(event.pid, fields.text(event.fields, "call"), fields.site(event.fields.get("site")))
        for event in of_kind(events, "cuda_asked")
    )


def loaders(events: Events) -> tuple[LoaderBuilt, ...]:
    """Each loader that was built."""
    return tuple(
        LoaderBuilt(
            number=fields.number(event.fields, "loader"),
            pid=event.pid,
            site=fields.site(event.fields.get("site")),
            workers=fields.number(event.fields, "workers"),
            dataset=fields.text(event.fields, "dataset"),
            context=fields.method(event.fields, "context"),
            is_persistent=event.fields.get("persistent") is True,
            is_iterable=event.fields.get("iterable") is True,
            sites=fields.sites(event.fields),
            classes=fields.sites(event.fields, "classes"),
        )
        for event in of_kind(events, "loader")
    )


def refused(events: Events) -> tuple[LoaderRefused, ...]:
    """Each loader whose arguments were rejected."""
    return tuple(
        LoaderRefused(
            event.pid, fields.site(event.fields.get("site")), fields.failure(event.fields.get("failure"), event.pid)
        )
        for event in of_kind(events, "loader_refused")
    )


def models(events: Events) -> tuple[ModelBuilt, ...]:
    """Each model that was built while a top level ran."""
    return tuple(ModelBuilt(event.pid, fields.sites(event.fields)) for event in of_kind(events, "model"))


def models_held(events: Events) -> tuple[ModelHeld, ...]:
    """The models that workers hold in global variables."""
    found = ((e.pid, fields.inner(one)) for e in of_kind(events, "worker") for one in fields.listed(e.fields, "models"))
    return tuple(
        ModelHeld(pid, fields.text(one, "name"), fields.text(one, "type"), fields.number(one, "bytes"))
        for pid, one in found
    )


def unpicklable(events: Events) -> tuple[Unpicklable, ...]:
    """Each object that could not be sent."""
    return tuple(
        Unpicklable(
            pid=event.pid,
            loader=fields.number(event.fields, "loader"),
            path=fields.text(event.fields, "path"),
            unfit=next((one for one in Unfit if one.value == event.fields.get("unfit")), Unfit.OTHER),
            type=fields.text(event.fields, "type"),
            name=fields.text(event.fields, "name"),
            definition=fields.site(event.fields.get("definition")),
            error=fields.text(event.fields, "error"),
            holders=tuple(filter(None, map(fields.site, fields.listed(event.fields, "holders")))),
        )
        for event in of_kind(events, "unpicklable")
    )


def samples(events: Events, serving: dict[int, list[int]]) -> tuple[Sample, ...]:
    """Each item that was fetched, up to the cap."""
    return tuple(
        Sample(
            pid=event.pid,
            worker=fields.maybe(event.fields, "worker"),
            passed=number_of(event, serving),
            epoch=fields.number(event.fields, "epoch"),
            index=index,
            digest=digest,
        )
        for event in of_kind(events, "samples")
        for index, digest in _indexed(event.fields)
    )


def _indexed(found: fields.Fields) -> Iterator[tuple[str, str]]:
    indices, digests = fields.strings(found, "indices"), fields.strings(found, "digests")
    return zip(indices if len(indices) == len(digests) else [""] * len(digests), digests)


def handles(events: Events) -> tuple[tuple[int, HandleSeen], ...]:
    """The files that workers inherited, by process; read at last if read in any fetch."""
    found: dict[tuple[int, int, str], bool] = {}
    for event in of_kind(events, "fetched"):
        for one in map(fields.inner, fields.listed(event.fields, "handles")):
            key = (event.pid, fields.number(one, "descriptor"), fields.text(one, "path"))
            found[key] = found.get(key, False) or one.get("read") is True
    return tuple((pid, HandleSeen(path, descriptor, read)) for (pid, descriptor, path), read in found.items())


def globals_seen(events: Events) -> tuple[GlobalSeen, ...]:
    """The global variables of the main program, as it and its workers knew them."""
    return tuple(
        GlobalSeen(
            event.pid,
            fields.text(one, "name"),
            fields.text(one, "outline"),
            fields.text(one, "digest"),
            fields.sites(one),
        )
        for event in of_kind(events, "globals")
        for one in map(fields.inner, fields.listed(event.fields, "globals"))
    )


def blocked(events: Events) -> tuple[Blocked, ...]:
    """Everything that the wall refused."""
    return tuple(
        Blocked(
            event.pid,
            fields.text(event.fields, "call"),
            fields.text(event.fields, "target"),
            fields.text(event.fields, "flag"),
            fields.site(event.fields.get("site")),
        )
        for event in of_kind(events, "blocked")
    )


def stacks(folder: Path) -> tuple[Stack, ...]:
    """Where the processes stood when time was up, from the files that they wrote themselves."""
    files = sorted(folder.glob("*"), key=lambda file: file.stat().st_mtime) if folder.is_dir() else []
    found = ((int(file.name), _stack_lines(file.read_text(errors="replace"))) for file in files)
    return tuple(Stack(pid, lines) for pid, lines in found if lines)


def _stack_lines(written: str) -> tuple[str, ...]:
    """The lines of the thread that took the signal, outermost first; `faulthandler` writes them innermost first."""
    current = written.rpartition("Current thread")[2].partition("\n\n")[0]
    lines = [line.strip() for line in current.splitlines() if line.strip().startswith("File ")]
    return tuple(reversed(lines))
