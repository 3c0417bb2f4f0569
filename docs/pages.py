"""A hook of MkDocs: writes a page for each rule from its class, and one that lists them."""

from __future__ import annotations

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

from flake8_torchloader.catalogue import markdown, table
from flake8_torchloader.rules import all_rules


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages of the rules to those that are written by hand."""
    listed = table(all_rules())
    for rule in all_rules():
        files.append(File.generated(config, f"rules/{rule.code}.md", content=markdown(rule)))
        listed = listed.replace(f"| `{rule.code}` |", f"| [`{rule.code}`]({rule.code}.md) |")
    index = f"# Rules\n\nA code stands for one hazard, and is never given to another.\n\n{listed}"
    files.append(File.generated(config, "rules/index.md", content=index))
    return files
