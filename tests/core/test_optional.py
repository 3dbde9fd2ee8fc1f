"""A missing extra is one clear ImportError."""

import pytest

from attention_zoo.core.optional import require


def test_a_module_that_is_there_is_imported():
    assert require("json", extra="any").loads("1") == 1


def test_a_missing_module_names_its_extra_and_the_command():
    with pytest.raises(ImportError, match=r"pip install 'attention-zoo\[export\]'"):
        require("no_such_module_here", extra="export")
