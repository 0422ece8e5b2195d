"""The tables of config/README.md are those of the schema and the default configuration."""

import copy

import pytest

from mri2pet.config.schema import load_schema
from mri2pet.config.tables import explained, fill_tables


def test_the_tables_are_as_make_docs_writes_them(config, schema, root):
    page = (root / "config/README.md").read_text()
    assert fill_tables(page, load_schema(schema), config) == page, "run make docs"


def test_every_key_of_the_schema_is_described(schema):
    keys = dict(explained(load_schema(schema)))
    assert len(keys) > 150
    assert not [key for key, described in keys.items() if not described]


def test_every_described_key_stands_on_the_page(schema, root):
    page = (root / "config/README.md").read_text()
    for name in ("gla_gan", "dual_glow", "gan_anomaly", "ixi"):
        page += page.replace("`<system>.models", f"`{name}.models")  # explained once
    missing = [key for key, _ in explained(load_schema(schema)) if f"`{key}`" not in page]
    assert not missing


def test_every_file_of_the_schema_counts(schema):
    whole = load_schema(schema)
    assert {"studies", "gla_gan", "dual_glow", "gan_anomaly", "ixi"} <= whole["properties"].keys()
    assert {"model", "generator", "training", "simulated_ixi"} <= whole["$defs"].keys()


PAGE = "a\n<!-- keys: folds -->\nold\n<!-- end -->\nb\n"


@pytest.mark.parametrize("change", ["meaning", "default", "key"])
def test_a_change_of_the_schema_or_the_default_changes_the_table(config, schema, change):
    whole = load_schema(schema)
    before = fill_tables(PAGE, whole, config)
    assert "\nold\n" not in before
    assert before.startswith("a\n") and before.endswith("b\n")
    other, config = copy.deepcopy(whole), copy.deepcopy(config)
    folds = other["properties"]["folds"]["properties"]
    if change == "meaning":
        folds["n"]["description"] = "something else"
    elif change == "default":
        config["folds"]["n"] = 4
    else:
        folds["kind"] = {"description": "a key more"}
    assert fill_tables(PAGE, other, config) != before


def test_an_unknown_key_of_a_marker_is_an_error(config, schema):
    with pytest.raises(KeyError):
        fill_tables(PAGE.replace("folds", "fold"), load_schema(schema), config)
