"""Studies apart from systems: who reads which folder, which systems may share one."""

import pytest

from mri2pet.cohorts import READERS, find_reader, reader_module
from mri2pet.config.check import check_config
from mri2pet.config.studies import group_names, make_study, with_raw
from mri2pet.config.systems import SYSTEMS
from mri2pet.errors import InputError

TYPED = [name for name, system in SYSTEMS.items() if system.raw]


def test_raw_means_the_study_of_gla_gan_and_dual_glow(config):
    assert TYPED == ["gla_gan", "dual_glow"]
    laid = with_raw(config | {"raw": "/data/X"}, TYPED)
    assert "raw" not in laid
    assert laid["studies"]["dementia"]["raw"] == "/data/X"
    assert laid["studies"]["epilepsy"]["raw"] == laid["studies"]["ixi"]["raw"] == "simulated"
    assert config["studies"]["dementia"]["raw"] == "simulated"  # as it was given


def test_a_simulated_scanner_does_not_speak_for_real_scans(config, schema):
    block = config["studies"]["dementia"]
    assert make_study("dementia", block).pet_protocol["ModeOfAdministration"] == "bolus"
    laid = with_raw(config | {"raw": "/data/X"}, TYPED)
    assert make_study("dementia", laid["studies"]["dementia"]).pet_protocol == {}
    stated = {"AcquisitionMode": "list mode", "ReconFilterType": "Hann", "ReconFilterSize": 4.5}
    laid["studies"]["dementia"]["pet_protocol"] = stated
    check_config(laid, schema)
    study = make_study("dementia", laid["studies"]["dementia"])
    assert study.pet_protocol == stated and "pet_protocol" not in study.settings


@pytest.mark.parametrize(
    ("stated", "reason"),
    [
        ({"ModeOfAdministation": "bolus"}, "ModeOfAdministation"),
        ({"ModeOfAdministration": "by mouth"}, "by mouth"),
        ({"ReconFilterSize": "4 mm"}, "4 mm"),
        ({"InjectedRadioactivity": 185}, "InjectedRadioactivity"),  # of each person, not of all
    ],
)
def test_a_protocol_is_in_the_words_of_bids(config, schema, stated, reason):
    config["studies"]["dementia"]["pet_protocol"] = stated
    with pytest.raises(InputError, match=rf"studies\.dementia\.pet_protocol.*{reason}"):
        check_config(config, schema)


def test_a_system_names_a_study_that_there_is(config, schema):
    config["dual_glow"]["study"] = "adni2"
    with pytest.raises(InputError, match=r"dual_glow\.study: there is no study 'adni2'; known"):
        check_config(config, schema)


def test_systems_on_one_space_have_one_study(config, schema):
    config["studies"]["other"] = dict(config["studies"]["dementia"])
    config["dual_glow"]["study"] = "other"
    with pytest.raises(InputError, match=r"dual_glow\.study: other, and gla_gan\.study is demen"):
        check_config(config, schema)
    config["systems"] = ["dual_glow", "ixi"]
    check_config(config, schema)


def test_systems_of_spaces_apart_may_share_a_study(config, schema):
    config["gan_anomaly"]["study"] = "dementia"
    check_config(config, schema)


@pytest.mark.parametrize("missing", ["gla_gan", "dual_glow", "gan_anomaly", "ixi"])
def test_each_system_can_be_left_out(config, schema, missing):
    del config[missing]
    config["systems"].remove(missing)
    check_config(config, schema)


def test_a_run_needs_a_system(config, schema):
    for name in ("gla_gan", "dual_glow"):
        config[name] = None
    config["systems"] = ["gla_gan", "dual_glow"]
    with pytest.raises(InputError, match=r"systems: none of gla_gan, .* has a block"):
        check_config(config, schema)


@pytest.mark.parametrize(
    ("groups", "names"),
    [
        (["CN", "AD"], ("CN", "AD")),
        ({"HC": "CN", "Patient": "AD", "Dementia": "AD"}, ("CN", "AD")),
        ([], ()),
    ],
)
def test_groups_are_a_list_or_a_map_to_them(groups, names):
    assert group_names(groups) == names


def test_simulated_people_are_written_in_a_form_that_there_is(config):
    block = config["studies"]["dementia"]
    assert make_study("d", block).reader == "adni"
    assert make_study("d", block).raw == "results/simulated/ADNI"
    other = make_study("d", block | {"reader": "bids"})
    assert (other.reader, other.raw) == ("bids", "results/simulated/d")
    with pytest.raises(InputError, match="can be written as adni or bids, not as ixi"):
        make_study("d", block | {"reader": "ixi"})


def layouts(top):
    """Make the outermost of a folder of each kind."""
    for name in ("adni", "bids", "ixi"):
        (top / name).mkdir()
    (top / "adni/011_S_0005").mkdir()
    (top / "adni/ADNIMERGE.csv").touch()
    (top / "bids/participants.tsv").write_text("participant_id\nsub-01\n")
    (top / "bids/dataset_description.json").write_text('{"Name": "n", "BIDSVersion": "1.10.0"}')
    (top / "bids/sub-01/anat").mkdir(parents=True)
    (top / "bids/sub-01/anat/sub-01_T1w.nii.gz").touch()
    (top / "ixi/IXI-T2").mkdir(parents=True)
    (top / "ixi/IXI.xls").touch()
    (top / "mri_files").mkdir()
    (top / "mri_files/smith.nii.gz").touch()
    return top


ALONE = [name for name in READERS if getattr(reader_module(name), "MRI_ALONE", False)]


@pytest.mark.parametrize("name", sorted(READERS))
def test_a_folder_is_told_by_what_lies_in_it(tmp_path, name):
    # of MRIs alone nothing can be learnt: they are for `apply`
    study = {"name": "mine"} | ({"mri_alone": True} if name in ALONE else {})
    found, why = find_reader(layouts(tmp_path) / name, study)
    assert found == name
    assert why


@pytest.mark.parametrize("name", ALONE)
def test_a_folder_of_mris_alone_is_told_of_apply(tmp_path, name):
    with pytest.raises(InputError, match="apply --config bundle=DIR"):
        find_reader(layouts(tmp_path) / name, {"name": "mine"})


@pytest.mark.parametrize("content", [[], ["notes.txt"], ["scans"]])
def test_a_folder_of_no_kind_is_refused_with_what_was_looked_for(tmp_path, content):
    for entry in content:
        (tmp_path / entry).mkdir()
    with pytest.raises(InputError) as caught:
        find_reader(tmp_path, {"name": "mine"})
    told = str(caught.value)
    assert told.startswith(f"studies.mine.raw: {tmp_path} is none of these")
    assert all((reader_module(name).LOOKED_FOR in told) == (name not in ALONE) for name in READERS)
    assert all(entry in told for entry in content)


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(InputError, match=r"studies\.mine\.raw: there is no folder .*away"):
        find_reader(tmp_path / "away", {"name": "mine"})
