"""Sphinx's configuration: `python -m sphinx -W docs OUT` builds the site without network and checks the links in it."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

from snakeprov import __version__

project = "snakeprov"
author = "snakeprov developers"
version = release = __version__
project_copyright = "snakeprov developers"

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_click",
    "fromcode",
]
exclude_patterns = ["_ext"]
nitpicky = False
# In the examples of a command's help, `--json` is no dash and `'` no quotation mark.
smartquotes = False

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 4
suppress_warnings = ["myst.header"]

default_role = "code"  # `name` in a docstring
smartquotes = False  # of --json it would make a dash
autodoc_typehints = "signature"
autodoc_member_order = "bysource"
autoclass_content = "both"
python_use_unqualified_type_names = True
napoleon_google_docstring = True

html_theme = "furo"
html_title = f"snakeprov {__version__}"
html_static_path = ["_static"]
html_css_files = ["snakeprov.css"]
html_show_sphinx = False
html_copy_source = False
html_theme_options = {"navigation_with_keys": True}
pygments_style = "tango"
pygments_dark_style = "monokai"
