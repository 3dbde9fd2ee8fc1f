"""How the site is made: `pip install '.[docs]' && sphinx-build -W docs docs/_build`."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE)]

from building import api, docstrings  # noqa: E402

from attention_zoo.version import __version__  # noqa: E402

project = "attention_zoo"
author = "the authors of attention_zoo"
release = version = __version__
extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "myst_parser",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["_build", "examples", "building"]
# Single backquotes in docstrings are code
default_role = "code"
highlight_language = "python3"
pygments_style = "tango"

myst_enable_extensions = ["colon_fence"]
# Links into a page, as #from-a-model, work here as on a repository's host
myst_heading_anchors = 3

add_module_names = False
autodoc_typehints = "signature"
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
python_maximum_signature_line_length = 72
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_rtype = False
napoleon_custom_sections = [("Call arguments", "params_style")]
# Every name of ours must lead somewhere; other projects' pages are not at hand here
nitpicky = True
nitpick_ignore_regex = [
    ("py:.*", r"(?!attention_zoo).*"),
    ("py:class", r".*\.register\.Class"),  # a type variable
    ("py:class", r".*\.grid\.Grid"),  # `az.windows` makes it
]

sphinx_gallery_conf = {
    "examples_dirs": "examples",
    "gallery_dirs": "gallery",
    "filename_pattern": "/plot_",
    "image_scrapers": ("matplotlib", "building.figures.scrape"),
    # Text printed is shown; objects are not
    "capture_repr": (),
    "show_memory": False,
    "download_all_examples": False,
    "min_reported_time": 0,
    "remove_config_comments": True,
    "abort_on_example_error": True,
    "reset_modules": (),
}
# Settings that hold functions are not cached
suppress_warnings = ["config.cache"]

html_theme = "pydata_sphinx_theme"
html_title = "attention_zoo"
html_static_path = ["_static"]
html_css_files = ["custom.css"]
html_show_sourcelink = False
html_copy_source = False
# Pages that have no others beside them
html_sidebars = {name: [] for name in ("start", "contributing", "genindex", "search")}
html_theme_options = {
    "navigation_with_keys": False,
    "show_prev_next": True,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
    "header_links_before_dropdown": 6,
}
copyright = "the authors of attention_zoo, under Apache-2.0"  # noqa: A001


def setup(app):
    """Write the pages that come from the registry, and read docstrings as they are written."""
    api.write(HERE / "api")
    app.connect("autodoc-process-docstring", docstrings.process, priority=100)
    app.connect("autodoc-process-signature", docstrings.process_signature)
