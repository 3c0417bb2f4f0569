"""Programs that use CUDA, run with real workers where there is no GPU.

What torch does in C++ is stood in for: `_cuda_init` does nothing, and as in torch's own source the first question for
the number of devices spoils CUDA for all processes that are forked from then on. All the Python code of `torch.cuda`
is torch's own, and so is the error that it raises in a spoiled process. There are no devices and no tensors on them.
Where there is a device, nothing is stood in for: the programs of `fixtures/` that need one are run on it.
"""

from __future__ import annotations

import pytest
from running_room import Room

from flake8_torchloader.observed import Failure
from flake8_torchloader.rules import all_rules
from flake8_torchloader.running.program import Limits
from flake8_torchloader.settings import Settings
from flake8_torchloader.trial import Ending, Run, Trial
from flake8_torchloader.verdict import Outcome, Reason, Suspect, Verdict

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")

RULES = {rule.code: rule(Settings()) for rule in all_rules()}
LIMITS = Limits(seconds=60, batches=2, epochs=1)
STAND_IN = """
    import os
    import torch

    spoiled = []


    def forked():
        spoiled.append(True)


    def count_devices():
        if not registered:
            registered.append(True)
            os.register_at_fork(after_in_child=forked)
        return 0


    registered = []
    torch._C._cuda_getDeviceCount = count_devices
    torch._C._cuda_init = count_devices
    torch.cuda._cudart = object()
    torch.cuda._is_in_bad_fork = lambda: bool(spoiled)
    """
IN_WORKER = """
    import stand_in
    import torch
    from torch.utils.data import DataLoader, Dataset


    class Items(Dataset):
        def __len__(self):
            return 8

        def __getitem__(self, index):
            torch.cuda.init()
            return index


    if __name__ == "__main__":
        {first}
        for batch in DataLoader(Items(), num_workers=2):
            pass
    """
IN_WORKER_LINE, IN_WORKER_LOADER = 12, 18
AT_IMPORT = """
    import stand_in
    import torch
    from torch.utils.data import DataLoader

    torch.cuda.init()

    if __name__ == "__main__":
        for batch in DataLoader(range(8), num_workers=2):
            pass
    """
AT_IMPORT_LINE, AT_IMPORT_LOADER = 6, 9
ASKS = """
    import torch
    from torch.utils.data import DataLoader

    device = "cuda" if torch.cuda.is_available() else "cpu"
    other = getattr(torch, "accelerator", torch.cuda).is_available()

    if __name__ == "__main__":
        for batch in DataLoader(range(8), num_workers=2):
            batch.to(device)
    """
NEVER_ASKS = """
    import torch
    from torch.utils.data import DataLoader

    model = torch.nn.Linear(1, 1)

    if __name__ == "__main__":
        for batch in DataLoader(range(8), num_workers=2, pin_memory=True):
            torch.optim.Adam(model.parameters()).step()
    """
NEEDS = """
    import torch
    from torch.utils.data import DataLoader

    if __name__ == "__main__":
        weights = torch.ones(3, device="cuda")
        for batch in DataLoader(range(8), num_workers=2):
            pass
    """


def judge(
    room: Room, code: str, text: str, *lines: int, trials: tuple[Trial, ...]
) -> tuple[Verdict, dict[Trial, Run]]:
    """What the rule makes of the program under some trials."""
    room.write("stand_in.py", STAND_IN)
    runs = {trial: room.run(text, trial, limits=LIMITS) for trial in trials}
    assert not any(run.failed_probes for run in runs.values())
    suspect = Suspect(str((room.folder / "program.py").resolve()), lines[0], lines[1:])
    return RULES[code].judge(runs, suspect), runs


@pytest.mark.parametrize("first", ["torch.cuda.init()", "torch.cuda.is_available()"])
def test_a_forked_worker_fails_once_its_parent_has_touched_cuda(room: Room, first: str) -> None:
    text = IN_WORKER.format(first=first)
    verdict, runs = judge(room, "TLD601", text, IN_WORKER_LINE, IN_WORKER_LOADER, trials=(Trial.CONTROL, Trial.FORK))
    assert verdict.outcome is Outcome.CONFIRMED
    evidence = verdict.evidence[0].text
    assert "Cannot re-initialize CUDA in forked subprocess" in evidence and "program.py:12" in evidence
    assert runs[Trial.FORK].passes[0].had_cuda is (first == "torch.cuda.init()")


def test_a_worker_that_comes_first_makes_a_context_of_its_own(room: Room) -> None:
    lines = IN_WORKER_LINE, IN_WORKER_LOADER
    trials = Trial.CONTROL, Trial.FORK, Trial.SPAWN
    verdict, runs = judge(room, "TLD601", IN_WORKER.format(first="pass"), *lines, trials=trials)
    assert verdict.outcome is Outcome.CONFIRMED
    assert {one.trial: one.text for one in verdict.evidence} == {
        trial: "2 workers make a CUDA context each" for trial in (Trial.FORK, Trial.SPAWN)
    }
    assert not any(one.had_cuda for run in runs.values() for one in run.workers)


def test_importing_the_program_again_brings_cuda_to_life_in_each_worker(room: Room) -> None:
    trials = Trial.CONTROL, Trial.SPAWN, Trial.REIMPORT
    verdict, runs = judge(room, "TLD602", AT_IMPORT, AT_IMPORT_LINE, trials=trials)
    assert verdict.outcome is Outcome.CONFIRMED
    assert verdict.evidence[0].text.startswith("CUDA is initialised in 2 other processes by importing the file (")
    assert all(one.had_cuda for one in runs[Trial.SPAWN].workers)
    assert [one.has_cuda for one in runs[Trial.REIMPORT].main_again] == [True]
    suspect = Suspect(str(room.folder / "program.py"), AT_IMPORT_LOADER)
    assert RULES["TLD601"].judge(runs, suspect).reason is Reason.NO_CUDA, "the workers never used it"


def test_a_program_that_asks_in_vain_shows_nothing(room: Room) -> None:
    runs = {trial: room.run(ASKS, trial, limits=LIMITS) for trial in (Trial.CONTROL, Trial.SPAWN)}
    assert all(run.ending is Ending.FINISHED for run in runs.values())
    asked = {one.call for one in runs[Trial.CONTROL].cuda_asked}
    assert {"torch.cuda.is_available", "torch.accelerator.is_available"} <= asked
    for code in ("TLD601", "TLD602"):
        verdict = RULES[code].judge(runs, Suspect(str(room.folder / "program.py"), 9))
        assert verdict.reason is Reason.NO_CUDA and verdict.evidence[0].text.endswith("program.py:5")


def test_a_program_that_never_asks_needs_no_device(room: Room) -> None:
    runs = {trial: room.run(NEVER_ASKS, trial, limits=LIMITS) for trial in (Trial.CONTROL, Trial.SPAWN)}
    assert not any(run.cuda_asked for run in runs.values())
    for code in ("TLD601", "TLD602"):
        assert RULES[code].judge(runs, Suspect(str(room.folder / "program.py"), 8)).outcome is Outcome.REFUTED


@pytest.mark.parametrize(
    "need",
    [
        "torch.zeros(3).cuda()",
        "torch.zeros(3, device='cuda')",
        "torch.nn.Linear(3, 3).to('cuda:0')",
        "torch.cuda.set_device(0)",
        "torch.cuda.get_device_name(0)",
        "torch.cuda.Stream()",
        "torch.cuda.FloatTensor(3)",
        "torch.Generator(device='cuda')",
        "torch.cuda.device(0).__enter__()",
        "torch.cuda.Event()",
    ],
)
def test_what_torch_says_for_lack_of_cuda_is_known(need: str) -> None:
    with pytest.raises(Exception) as caught:
        eval(need, {"torch": torch})
    assert Failure(1, caught.type.__name__, str(caught.value)).is_for_lack_of_cuda


def test_a_program_that_needs_cuda_says_so_and_not_that_it_crashed(room: Room) -> None:
    runs = {trial: room.run(NEEDS, trial, limits=LIMITS) for trial in (Trial.CONTROL, Trial.SPAWN)}
    assert all(run.ending is Ending.CRASHED for run in runs.values())
    for code in ("TLD102", "TLD601"):
        assert RULES[code].judge(runs, Suspect(str(room.folder / "program.py"), 7)).reason is Reason.NO_CUDA


def test_a_worker_that_needs_cuda_says_so_too(room: Room) -> None:
    text = IN_WORKER.replace("import stand_in", "import os").format(first="pass")
    verdict, _ = judge(room, "TLD601", text, IN_WORKER_LINE, IN_WORKER_LOADER, trials=(Trial.CONTROL, Trial.FORK))
    assert verdict.reason is Reason.NO_CUDA
