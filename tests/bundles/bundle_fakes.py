"""A bundle of a made-up run, whose people have labels, dates and paths that must not get out."""

from pathlib import Path

import numpy as np
import pandas as pd
import torch
import yaml

from fakes import N_FOLDS, make_run
from mri2pet.bundles.make import Made, make_bundle
from mri2pet.bundles.manifest import write_manifest
from mri2pet.bundles.weights import save_arrays, save_weights
from mri2pet.datasets.grids import resample_labels, template_mask
from mri2pet.files import read_tsv, sha256, write_json, write_tsv
from mri2pet.imaging.volume import load_volume
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


LINEAR = [[2.8125, 0, 0, -89.59375], [0, 3.40625, 0, -125.296875], [0, 0, 2.8125, -71.59375]]


def ready_bundle(folder: Path, atlases: Path, **change) -> Path:
    """Make a bundle for whole heads, as a run leaves it; its networks have learnt nothing."""
    folder.mkdir(parents=True)
    affine, shape = np.array([*LINEAR, [0, 0, 0, 1]]), (64, 64, 64)
    names = read_tsv(atlases / "aal.tsv")
    mask = template_mask(load_volume(atlases / "mni152_brain_mask.nii.gz"), affine, shape)
    known = names.set_index("index")["name"].to_dict()
    labels = resample_labels(load_volume(atlases / "aal.nii.gz"), affine, shape, known)
    save_arrays(folder / "grid.safetensors", {"mask": mask, "atlas": labels})
    write_tsv(folder / "regions.tsv", names)
    uptake = {"mean": 0.5, "sd": 0.1, "people": 5}
    controls = {"region": names["index"], "name": names["name"]} | uptake
    write_tsv(folder / "controls.tsv", pd.DataFrame(controls))
    for fold in range(2):
        torch.manual_seed(fold)
        save_weights(folder / f"fold-{fold}.safetensors", build(ENTRY["generator"]).state_dict())
    config = yaml.safe_load((atlases.parents[1] / "config/config.yaml").read_text())
    told = about() | {"crop": 8, "preproc": config["preproc"]}
    told["space"] |= {"affine": affine.tolist(), "shape": list(shape), "intensity": "uptake"}
    templates = {"t1": "mni152_t1.nii.gz", "brain_mask": "mni152_brain_mask.nii.gz"}
    told |= {
        "folds": [{"weights": f"fold-{n}.safetensors", "smoothing_fwhm_mm": 0} for n in range(2)],
        "trained_on": {"people": 5, "age_years": [60, 83], "people_by_group": {"CN": 5}}
        | {"visits_by_scanner_make": {"Siemens": 5}},
        "like": {
            "measures": {"brain_ml": {"mean": 1500.0, "sd": 150.0}},
            "histogram": np.linspace(0, 1, 64).tolist(),
            "histogram_distance": {"mean": 0.1, "largest": 0.2},
        },
        "templates": {name: sha256(atlases / file) for name, file in templates.items()},
        **change,
    }
    write_manifest(folder, told)
    return folder
