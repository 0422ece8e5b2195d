from mri2pet.config.learnt import learnt_groups

CONFIG = {
    "gla_gan": {"training_groups": [], "diagnosis": {"positive": "AD", "negative": "CN"}},
    "dual_glow": {
        "training_groups": ["CN"],
        "diagnosis": {"positive": ["MCI", "AD"], "negative": ["CN"]},
    },
    "ixi": {"models": {}},
}


def test_classes_and_training_groups_by_their_keys():
    assert learnt_groups(CONFIG, ["gla_gan", "dual_glow"]) == {
        "gla_gan.diagnosis.positive": ["AD"],
        "gla_gan.diagnosis.negative": ["CN"],
        "dual_glow.diagnosis.positive": ["MCI", "AD"],
        "dual_glow.diagnosis.negative": ["CN"],
        "dual_glow.training_groups": ["CN"],
    }


def test_a_system_that_is_not_run_or_diagnoses_nothing_names_none():
    assert list(learnt_groups(CONFIG, ["gla_gan"])) == [
        "gla_gan.diagnosis.positive",
        "gla_gan.diagnosis.negative",
    ]
    assert learnt_groups(CONFIG, ["ixi"]) == {}
