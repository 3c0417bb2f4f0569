"""A hook of MkDocs: writes a page for each rule from its class and its recorded proof, and one that lists them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

from flake8_torchloader.catalogue import markdown, table
from flake8_torchloader.rules import all_rules

Record = dict[str, Any]
"""What `tests/proof_record.py` writes."""

RECORDS = ("proofs-cuda.json", "proofs.json")
"""What was proved where there is a CUDA device, of the programs that take one, and all else."""


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages of the rules to those that are written by hand."""
    records = [json.loads(Path(config.docs_dir, name).read_text(encoding="utf-8")) for name in RECORDS]
    listed = table(all_rules())
    for rule in all_rules():
        content = markdown(rule, _proof(rule.code, next(filter(partial(_tells, rule.code), records), records[-1])))
        files.append(File.generated(config, f"rules/{rule.code}.md", content=content))
        listed = listed.replace(f"| `{rule.code}` |", f"| [`{rule.code}`]({rule.code}.md) |")
    index = f"# Rules\n\nA code stands for one hazard, and is never given to another.\n\n{listed}"
    files.append(File.generated(config, "rules/index.md", content=index))
    return files


def _tells(code: str, record: Record) -> bool:
    """Whether programs of a rule's folder are in a record."""
    return any(name.startswith(f"{code}/") for name in record["programs"])


def _proof(code: str, record: Record) -> str:
    """How many programs of a rule's folder proved what, and the evidence, folded away."""
    programs = {name: seen for name, seen in record["programs"].items() if name.startswith(f"{code}/")}
    outcomes = Counter(one["outcome"] for seen in programs.values() for one in seen if one["code"] == code)
    if not outcomes:
        return ""
    counts = ", ".join(f"{count} {outcome}" for outcome, count in sorted(outcomes.items()))
    conditions = f"Python {record['python']}, torch {record['torch']}, {record['cpus']} CPUs"
    conditions += f", {record['cuda_devices']} CUDA device" if record["cuda_devices"] else ""
    title = f'??? example "Recorded from the programs of fixtures/{code}: {counts} ({conditions})"'
    return "\n".join([title, "", *_evidence(code, programs)])


def _evidence(code: str, programs: Record) -> Iterator[str]:
    for name, seen in programs.items():
        for one in seen:
            if one["code"] == code and one["outcome"] != "refuted":
                yield f"    - `{name.partition('/')[2]}`, line {one['line']}: {one['outcome']}"
                yield from (f"        - {_plain(text)}" for text in one["evidence"])


def _plain(text: str) -> str:
    """The text with nothing in it that Markdown would take for its own."""
    return "".join(f"\\{char}" if char in "\\*_`[]<>" else char for char in text)
