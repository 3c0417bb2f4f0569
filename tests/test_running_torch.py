"""Programs with real DataLoader workers: what a run of them shows under each trial."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from running_room import Room

from flake8_torchloader.observed import Stage, Unfit
from flake8_torchloader.running.launch import run as run_program
from flake8_torchloader.running.program import Entry, Limits, Program
from flake8_torchloader.start_method import StartMethod
from flake8_torchloader.trial import Ending, Run, Trial

pytest.importorskip("torch")

TRAINING = """
    import random
    import torch
    from torch.utils.data import DataLoader, Dataset

    model = torch.nn.Linear(100, 10)


    class Items(Dataset):
        def __init__(self):
            self.random = random.Random(0)
            self.table = torch.zeros(0)
            self.text = b"x" * 1_000_000
            self.count = 0
            self.file = open(__file__, "rb", buffering=0)

        def __len__(self):
            return 40

        def __getstate__(self):
            return {**vars(self), "file": None}

        def __getitem__(self, index):
            self.count += 1
            if self.file is not None:
                self.file.read(1)
            return index + self.random.random()


    def train():
        items = Items()
        loader = DataLoader(items, batch_size=4, num_workers=2, persistent_workers=True, prefetch_factor=1)
        explicit = DataLoader(range(4), num_workers=1, multiprocessing_context="fork", timeout=60)
        for epoch in range(9):
            for batch in loader:
                pass
            for batch in explicit:
                pass


    if __name__ == "__main__":
        try:
            train()
        except BaseException:
            pass
        finally:
            open("checkpoint.txt", "w")
    """
ROUNDS = {Trial.CONTROL: 1, Trial.FORK: 2, Trial.SPAWN: 2}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[Trial, Run]]:
    """The training script under three trials: three batches of two epochs each."""
    with pytest.MonkeyPatch.context() as patch:
        room = Room(tmp_path_factory.mktemp("training"), patch)
        limits = Limits(seconds=60, batches=3, epochs=2)
        yield {trial: room.run(TRAINING, trial, limits=limits) for trial in ROUNDS}
        room.close()


def test_the_cap_leaves_no_turn_to_the_program(runs: dict[Trial, Run]) -> None:
    for run in runs.values():
        assert (run.ending, run.status, run.blocked) == (Ending.CAPPED, 0, ())
        own = [one for one in run.passes if one.loader == 0]
        assert [(one.batches, one.is_cut, one.stage) for one in own] == [(3, True, Stage.ENDED)] * 2


def test_no_probe_failed(runs: dict[Trial, Run]) -> None:
    assert [run.failed_probes for run in runs.values()] == [()] * 3
    assert [run.unreadable_lines for run in runs.values()] == [0] * 3
    assert all(run.versions.torch and run.versions.python for run in runs.values())


def test_the_control_has_no_workers_but_knows_what_was_asked_for(runs: dict[Trial, Run]) -> None:
    control = runs[Trial.CONTROL]
    assert not control.workers and {one.workers for one in control.passes} == {0}
    assert [(one.workers, one.is_persistent, one.context) for one in control.loaders] == [
        (2, True, None),
        (1, False, StartMethod.FORK),
    ]


def test_the_trial_sets_the_default_and_explicit_contexts_win(runs: dict[Trial, Run]) -> None:
    for trial in (Trial.FORK, Trial.SPAWN):
        own, explicit = runs[trial].passes[:2]
        assert (own.start_method, own.workers) == (trial.start_method, 2)
        assert (explicit.start_method, explicit.workers) == (StartMethod.FORK, 1)


def test_the_classes_of_a_dataset_are_known_by_where_they_begin(runs: dict[Trial, Run]) -> None:
    for run in runs.values():
        own, explicit = run.loaders[:2]
        assert [(Path(one.file).name, one.line, one.function) for one in own.classes] == [("program.py", 9, "Items")]
        assert explicit.classes == ()


def test_workers_are_followed_to_the_loop(runs: dict[Trial, Run]) -> None:
    for trial in (Trial.FORK, Trial.SPAWN):
        found = [one for one in runs[trial].workers if one.pid in runs[trial].passes[0].pids]
        assert [(one.worker, one.has_reached_loop, one.failure) for one in found] == [(0, True, None), (1, True, None)]
        assert all(one.uss_bytes and one.fetches for one in found)


def test_the_module_runs_again_only_in_spawned_workers(runs: dict[Trial, Run]) -> None:
    again = {trial: {one.pid for one in run.executions} - {run.main} for trial, run in runs.items()}
    spawned = set(runs[Trial.SPAWN].passes[0].pids)
    assert again == {Trial.CONTROL: set(), Trial.FORK: set(), Trial.SPAWN: spawned}
    assert {one.pid for one in runs[Trial.SPAWN].main_again} == spawned
    assert all(one.seconds > 0.1 and one.grown_bytes > 1e7 for one in runs[Trial.SPAWN].main_again)


def test_models_built_again_are_seen_with_their_size(runs: dict[Trial, Run]) -> None:
    spawn = runs[Trial.SPAWN]
    assert {one.pid for one in spawn.models} == {spawn.main, *spawn.passes[0].pids}
    assert {tuple(site.line for site in one.sites) for one in spawn.models} == {(6,)}
    assert [one.parameter_bytes for one in spawn.models_held if one.pid == spawn.passes[0].pids[0]] == [4040]


def test_what_is_pickled_is_counted(runs: dict[Trial, Run]) -> None:
    assert runs[Trial.FORK].passes[0].payload_bytes == ()
    payloads = runs[Trial.SPAWN].passes[0].payload_bytes
    assert len(payloads) == 2 and all(1_000_000 < size < 1_100_000 for size in payloads)


def test_equal_generators_show_in_their_states(runs: dict[Trial, Run]) -> None:
    for trial in (Trial.FORK, Trial.SPAWN):
        first = [one for one in runs[trial].first_fetches if one.pid in runs[trial].passes[0].pids and one.epoch == 0]
        own = [one for fetch in first for one in fetch.generators if not one.is_global]
        assert len(first) == len(own) == 2 and len(set(own)) == 1
        assert (own[0].path, own[0].was_drawn, own[0].was_reseeded) == ("dataset.random", True, False)


def test_samples_can_be_compared_with_the_control(runs: dict[Trial, Run]) -> None:
    def first_indices(run: Run) -> set[str]:
        return {one.index for one in run.samples if one.passed == 0}

    assert {str(index) for index in range(12)} <= first_indices(runs[Trial.CONTROL])
    assert {str(index) for index in range(12)} <= first_indices(runs[Trial.SPAWN])


def test_changes_of_the_dataset_show_in_its_outline(runs: dict[Trial, Run]) -> None:
    fetch = runs[Trial.FORK].first_fetches[0]
    before = {one.name: one.outline for one in fetch.attributes_before}
    after = {one.name: one.outline for one in fetch.attributes_after}
    assert {name: after[name] for name in after if after[name] != before[name]} == {"count": "int 4"}
    assert {one.name: one.outline for one in runs[Trial.FORK].passes[2].attributes}["count"] == "int 0"
    assert after["text"] == "bytes[1000000]" and after["table"] == "Tensor(0,) on cpu"


def test_an_inherited_file_that_is_read_is_noticed(runs: dict[Trial, Run]) -> None:
    def read(run: Run) -> set[str]:
        return {Path(one.path).name for pid, one in run.handles if one.was_read and pid in run.passes[0].pids}

    assert read(runs[Trial.FORK]) == {"program.py"} and read(runs[Trial.SPAWN]) == set()


UNSENDABLE = """
    import threading
    from torch.utils.data import DataLoader, Dataset

    class Compose:
        def __init__(self, transforms):
            self.transforms = transforms

    class Items(Dataset):
        def __init__(self, *transforms):
            self.transform = Compose(list(transforms))
            self.options = {"lock": threading.Lock()}

        def __len__(self):
            return 4

        def __getitem__(self, index):
            return index

    def collate():
        def nested(items):
            return items
        return nested

    if __name__ == "__main__":
        for batch in DataLoader(Items(abs, abs, lambda x: x), num_workers=1, collate_fn=collate()):
            pass
    """


@pytest.mark.parametrize("trial", [Trial.CONTROL, Trial.FORKSERVER])
def test_all_that_cannot_be_sent_is_found_with_its_path(room: Room, trial: Trial) -> None:
    run = room.run(UNSENDABLE, trial)
    found = {(one.path, one.unfit, one.definition.line if one.definition else 0) for one in run.unpicklable}
    assert found == {
        ("dataset.transform.transforms[2]", Unfit.LAMBDA, 26),
        ("dataset.options['lock']", Unfit.OTHER, 0),
        ("collate_fn", Unfit.LOCAL_FUNCTION, 21),
    }
    assert run.ending is (Ending.FINISHED if trial is Trial.CONTROL else Ending.CRASHED)
    assert {one.failure is None for one in run.passes} == {trial is Trial.CONTROL}


UNGUARDED = """
    from torch.utils.data import DataLoader
    for batch in DataLoader([b"x" * 100_000] * 2, num_workers=1, collate_fn=len):
        pass
    for batch in DataLoader(range(2), num_workers=1):
        pass
    """


def test_a_parent_that_waits_for_ever_is_not_waited_for(room: Room) -> None:
    run = room.run(UNGUARDED, Trial.SPAWN, limits=Limits(seconds=60))
    assert run.ending is Ending.STUCK and run.seconds < 40
    assert run.passes[0].stage is Stage.ENTERED and run.passes[0].site is not None and run.passes[0].site.line == 3
    assert [(one.is_bootstrapping, one.site.line if one.site else 0) for one in run.child_failures] == [(True, 3)]


def test_a_second_loader_behind_one_that_breaks_is_seen_by_importing_again(room: Room) -> None:
    run = room.run(UNGUARDED, Trial.REIMPORT)
    assert run.ending is Ending.FINISHED
    assert [one.site.line for one in run.passes if one.site and one.pid != run.main] == [3, 5]


FAILING = """
    import os, sys, time
    from torch.utils.data import DataLoader

    class Items(list):
        def __getitem__(self, index):
            {deed}

    if __name__ == "__main__":
        for batch in DataLoader(Items(range(4)), num_workers=1):
            pass
    """


def test_a_hang_in_a_worker_shows_its_line(room: Room) -> None:
    run = room.run(FAILING.format(deed="time.sleep(90)"), Trial.FORK, limits=Limits(seconds=6))
    assert run.ending is Ending.TIMED_OUT
    assert [fetch.has_returned for fetch in run.first_fetches] == [False]
    worker = next(stack for stack in run.stacks if stack.pid in run.passes[0].pids)
    assert worker.lines[-1].endswith("line 7 in __getitem__")


def test_a_killed_worker_shows_in_the_failure_of_its_pass(room: Room) -> None:
    run = room.run(FAILING.format(deed="os.kill(os.getpid(), 9)"), Trial.FORK)
    assert run.ending is Ending.CRASHED
    assert run.passes[0].exit_codes == (-9,) and run.passes[0].failure is not None
    assert "killed by signal" in run.passes[0].failure.text + run.passes[0].failure.cause


def test_an_error_in_a_worker_shows_its_line_and_ours_do_not_show(room: Room) -> None:
    run = room.run(FAILING.format(deed="return {}[index]"), Trial.FORK)
    failure = run.workers[0].failure
    assert failure is not None and (failure.type, failure.text) == ("KeyError", "0")
    assert [(site.line, site.function) for site in failure.sites] == [(7, "__getitem__")]


def test_an_entry_gives_its_datasets_workers(room: Room) -> None:
    room.write("library/__init__.py", "")
    room.write("library/data.py", "def make():\n    return [list(range(4)), list(range(4))]\n")
    program = Program(Entry("library.data:make", workers=2), Path(sys.executable), room.folder)
    run = run_program(program, Trial.FORK)
    assert run.ending is Ending.FINISHED, run.text
    assert [one.workers for one in run.passes] == [2] * 4 and len({one.loader for one in run.passes}) == 2


BUILDING = """
    import torch

    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.layers = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.ReLU())

    def build():
        return Net()

    first, second = build(), torch.nn.Linear(2, 2)
    """


def test_a_model_is_told_by_the_lines_that_led_to_it_and_its_layers_are_not(room: Room) -> None:
    run = room.run(BUILDING)
    assert [tuple(site.line for site in one.sites) for one in run.models] == [(12, 10), (12,)]
    assert run.models[0].passes(str(room.folder / "program.py"), 10)


BLURRING = """
    import cv2
    import numpy
    from torch.utils.data import DataLoader

    class Blurred(list):
        def __getitem__(self, index):
            cv2.setNumThreads({threads})
            return cv2.GaussianBlur(numpy.zeros((8, 8), numpy.uint8), (3, 3), 0)

    if __name__ == "__main__":
        for batch in DataLoader(Blurred(range(4)), num_workers=1):
            pass
    """


@pytest.mark.parametrize("threads", [0, 3])
def test_threads_and_calls_of_opencv_are_seen_in_the_worker(room: Room, threads: int) -> None:
    pytest.importorskip("cv2")
    run = room.run(BLURRING.format(threads=threads), Trial.FORK)
    assert [fetch.cv2_threads for fetch in run.first_fetches] == [max(threads, 1)]
    assert run.workers[0].cv2_calls == {"setNumThreads", "GaussianBlur"}
