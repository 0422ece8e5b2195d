"""A bundle of a made-up run, whose people have labels, dates and paths that must not get out."""

from pathlib import Path

import torch

from fakes import N_FOLDS, make_run
from mri2pet.bundles.make import Made, make_bundle
from mri2pet.files import read_tsv, write_json, write_tsv
from mri2pet.models.registry import build

ENTRY = {"generator": {"name": "unet3d", "filters": [2, 4]}, "recipe": "regression"}
# Of a person, a visit's day, a person's place on a disk: what no bundle may hold.
PLANTED = ("PLANTED007", "2031-12-24", "20311224", "/data/secret", "Doe^Jane")
PREPROC = {
    "skullstrip": "deepbet",
    "n4_shrink": 8,
    "syn": {"voxel_mm": 4.0, "iterations": [15, 6]},
    "pet_reference": "cerebellum",
    "pet_ceiling": 2.0,
    "qc": {"min_brain_ml": 800, "max_brain_ml": 2200, "min_template_correlation": 0.3},
}


def about(simulated: bool = True, licence: str = "CC BY 4.0", entry: dict = ENTRY) -> dict:
    """What a configuration says of a model."""
    return {
        "system": "gla_gan",
        "model": "unet",
        "label": "U-Net",
        "entry": entry,
        "crop": 0,
        "preproc": PREPROC,
        "maps": ["mri"],
        "source": "mri",
        "target": "pet",
        "tracer": "18FFDG",
        "space": {"name": "linear", "entities": "space-MNI152_res-64"},
        "study": {"name": "dementia", "simulated": simulated, "licence": licence},
        "groups": ["CN", "AD"],
        "training_groups": [],
        "controls": ["CN"],
        "over_folds": True,
        "draws": {},
    }


def run_files(root: Path) -> Made:
    """Write a run in which a person, a visit and a folder have telling names; return its files."""
    make_run(root)
    results, dataset = root / "results", root / "results/datasets/linear"
    table = read_tsv(dataset / "visits.tsv", dtype=str)
    first = table["subject"].iloc[0]
    for path in [*dataset.glob("*.tsv"), *(results / "gla_gan/synthesis").rglob("visits.tsv")]:
        text = path.read_text().replace(first, PLANTED[0]).replace("\tm12\t", f"\t{PLANTED[2]}\t")
        path.write_text(text)
    visits = read_tsv(dataset / "visits.tsv", dtype={"subject": str, "visit": str})
    folds = read_tsv(dataset / "folds.tsv", dtype={"subject": str})
    paired = visits[visits["kind"] == "paired"]
    sidecars, quality = [], []
    for row in paired.itertuples():
        folder = results / f"bids/sub-{row.subject}/ses-{row.visit}/anat"
        sidecars.append(folder / "T1w.json")
        make = {"Manufacturer": ("Siemens", "GE")[row.index % 2], "PatientName": PLANTED[4]}
        write_json(sidecars[-1], make | {"AcquisitionDate": PLANTED[1], "From": PLANTED[3]})
        quality.append(folder / "qc.json")
        measures = {"brain_ml": 1400.0 + row.index, "template_correlation": 0.7, "t1_detail": 0.3}
        write_json(quality[-1], {"Measures": measures, "Sources": [f"{PLANTED[3]}/{row.subject}"]})
    weights, chosen, metrics = [], [], []
    for fold in range(N_FOLDS):
        folder = results / f"gla_gan/models/unet/fold-{fold}"
        torch.manual_seed(fold)
        weights.append(folder / "generator.pt")
        torch.save(build(ENTRY["generator"]).state_dict(), weights[-1])
        held = set(folds.loc[folds["fold"] == fold, "subject"])
        own = paired[~paired["subject"].isin(held)]
        chosen.append(folder / "chosen.json")
        people = {"training": sorted(set(own["subject"])), "validation": []}
        write_json(chosen[-1], {"smoothing_fwhm_mm": 0.0, **people})
        tested = paired[paired["subject"].isin(held)]
        for method, mae in (("unet", 0.02), ("mean_pet", 0.03)):
            metrics.append(results / f"gla_gan/metrics/{method}/fold-{fold}.tsv")
            columns = tested[["subject", "visit", "group"]].assign(fold=fold, metric="MAE")
            metrics[-1].parent.mkdir(parents=True, exist_ok=True)
            write_tsv(metrics[-1], columns.assign(unit="intensity in 0..1", value=mae))
    names = root / "aal.tsv"
    names.write_text("index\tname\n" + "".join(f"{n}\tR{n}\n" for n in range(1, 117)))
    template = root / "t1.nii.gz"
    template.write_bytes(b"template")
    made = [results / f"gla_gan/synthesis/unet/fold-{fold}" for fold in range(N_FOLDS)]
    return Made(
        visits=dataset / "visits.tsv",
        description=dataset / "dataset.json",
        mask=dataset / "mask.npy",
        source=dataset / "mri.npy",
        weights=weights,
        chosen=chosen,
        made_visits=[folder / "visits.tsv" for folder in made],
        made=[folder / "pet.npy" for folder in made],
        metrics=metrics,
        sidecars=sidecars,
        quality=quality,
        atlas=dataset / "atlas.npy",
        regions=names,
        templates={"t1": template, "brain_mask": template},
    )


RUN = {"versions": {"Python": "3.11"}, "commit": None, "records": ["0" * 64]}


def new_bundle(root: Path, **options) -> tuple[Path, Made]:
    """Make a bundle of such a run; return its folder, and the files it is made from."""
    given, folder = run_files(root), root / "bundle"
    folder.mkdir()
    make_bundle(folder, given, about(**options), RUN)
    return folder, given
