"""Pictures of the gallery: Matplotlib figures that no window knows, as ours are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from matplotlib import pyplot
from matplotlib.figure import Figure
from sphinx_gallery.scrapers import figure_rst


def scrape(block: Any, block_vars: dict[str, Any], gallery_conf: dict[str, Any]) -> str:
    """Save the figures that a script's variables hold and no block before has saved."""
    seen = block_vars["example_globals"].setdefault("__figures__", [])
    known = [pyplot.figure(number) for number in pyplot.get_fignums()]
    paths = []
    for name, value in list(block_vars["example_globals"].items()):
        new = isinstance(value, Figure) and not any(value is one for one in [*seen, *known])
        if new and not name.startswith("_"):
            path = Path(next(block_vars["image_path_iterator"]))
            value.savefig(path, dpi=110)
            seen.append(value)
            paths.append(str(path))
    return figure_rst(paths, gallery_conf["src_dir"])
