"""The steps of Clinica 0.12.0's t1-linear and pet-linear on one visit, done with ANTsPy.

    python benchmarks/clinica_steps.py T1 PET TEMPLATE REFERENCE FOLDER [--as-written]

Writes to FOLDER what the pipelines write, the transforms of points as 4x4 text (RAS world, mm), and
`seconds.json`. Parameters are those of `anat_linear_pipeline.py`, `anat_linear_utils.py` and
`pet/linear/pipeline.py`; where the two backends of t1-linear differ, those that cost less:

- N4 runs once. With `--use-antspy` Clinica runs it twice, the second time for the field.
- The affine is antsRegistrationSyNQuick's, as in the pipeline for ANTs and its documentation. With
  `--use-antspy` it calls `ants.registration(..., type_of_transformation="antsRegistrationSyN[a]")`,
  a keyword that ANTsPy does not know, so that ANTsPy's default runs: affine and SyN at 1 mm.

`--as-written` does the latter two. Everything is in single precision, which ANTs' scripts are not;
intermediate images stay in memory where Clinica's nodes read them again; start of nipype's nodes
and of Clinica are not part of it. `ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS` sets the threads.
"""

import argparse
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

STARTED = time.perf_counter()

import nibabel as nib  # noqa: E402
import numpy as np  # noqa: E402

CROP = (slice(12, 181), slice(13, 221), slice(0, 179))  # of 193x229x193: 169x208x179 voxels
SPLINE_MM = 200
SEED = 0
seconds: dict[str, float] = {}


@contextmanager
def timed(step: str) -> Iterator[None]:
    """Write down the seconds of a block."""
    started = time.perf_counter()
    yield
    seconds[step] = time.perf_counter() - started


def save_points(path: Path, transform: str) -> None:
    """Write the affine that ITK pulls by as the 4x4 that carries points the other way."""
    import ants

    from mri2pet.imaging.antsreg import flip_lps_ras, itk_to_matrix
    from mri2pet.imaging.volume import save_transform

    itk = ants.read_transform(transform)
    pull = itk_to_matrix(itk.parameters, itk.fixed_parameters)
    save_transform(path, np.linalg.inv(flip_lps_ras(pull)))


def crop(path: Path) -> Path:
    """Cut a written image in MNI space to Clinica's box; as its `crop_nifti`."""
    image = nib.load(path)
    cropped = image.slicer[CROP]
    data = np.asarray(image.get_fdata()[CROP], np.float32)
    made = path.with_name(path.name.replace(".nii", "_cropped.nii"))
    nib.save(nib.Nifti1Image(data, cropped.affine), made)
    return made


def t1_linear(t1: Path, template: Path, folder: Path, as_written: bool) -> tuple[Path, str]:
    """Return the cropped T1 in MNI space and the file of the affine."""
    import ants

    with timed("N4"):
        image = ants.image_read(str(t1))
        corrected = ants.n4_bias_field_correction(image, spline_param=SPLINE_MM)
        ants.image_write(corrected, str(folder / "n4.nii.gz"))
    if as_written:
        with timed("N4, again for the field"):
            field = ants.n4_bias_field_correction(
                image, spline_param=SPLINE_MM, return_bias_field=True
            )
            ants.image_write(field, str(folder / "field.nii.gz"))
    kind = "SyN" if as_written else "antsRegistrationSyNQuick[a]"
    with timed("affine to MNI"):
        made = ants.registration(
            ants.image_read(str(template)),
            corrected,
            type_of_transform=kind,
            outprefix=str(folder / "t1_"),
            random_seed=SEED,
        )
        ants.image_write(made["warpedmovout"], str(folder / "t1_mni.nii.gz"))
    affine = made["fwdtransforms"][-1]
    with timed("crop the T1"):
        return crop(folder / "t1_mni.nii.gz"), affine


def clip(pet: Path, folder: Path) -> Path:
    """Cut off what is below the most frequent value, the background's; as `clip_img`."""
    image = nib.load(pet)
    data = image.get_fdata()
    values, counts = np.unique(data, return_counts=True)
    made = folder / "pet_clipped.nii.gz"
    clipped = np.clip(data, max(0.0, values[np.argmax(counts)]), None)
    nib.save(nib.Nifti1Image(clipped.astype(np.float32), image.affine), made)
    return made


def syn_of_reference(template: Path, t1: Path, folder: Path) -> list[str]:
    """Register the T1 in MNI space nonlinearly, which serves the reference region alone."""
    import ants
    from ants.internal import get_lib_fn, get_pointer_string, process_arguments

    fixed, moving = (ants.image_read(str(path)) for path in (template, t1))
    pair = ",".join(get_pointer_string(image) for image in (fixed, moving))
    arguments = {
        "--dimensionality": "3",
        "--float": "1",
        "--output": str(folder / "reference_"),
        "--transform": "SyN[0.1,3,0]",
        "--metric": f"MI[{pair},1.0,32]",
        "--convergence": "[200x50x10,1e-05,10]",
        "--shrink-factors": "8x4x2",
        "--smoothing-sigmas": "3x2x1vox",
        "--winsorize-image-intensities": "[0.005,0.995]",
        "--use-histogram-matching": "0",
        "--collapse-output-transforms": "1",
        "--random-seed": str(SEED),
    }
    flat = [part for item in arguments.items() for part in item]
    if get_lib_fn("antsRegistration")(process_arguments(flat)):
        raise RuntimeError("antsRegistration failed")
    return [str(folder / "reference_0Warp.nii.gz")]


def suvr(pet: Path, normalising: Path, reference: Path) -> Path:
    """Divide by the trimmed mean of the reference region; as `perform_suvr_normalization`."""
    from nilearn.image import resample_to_img
    from scipy.stats import trim_mean

    mask = nib.load(reference)
    small = resample_to_img(
        nib.load(normalising), mask, interpolation="nearest", force_resample=True, copy_header=True
    )
    region = small.get_fdata() * mask.get_fdata(dtype=np.float32)
    mean = trim_mean(region[region != 0], 0.1)
    image = nib.load(pet)
    made = pet.with_name("pet_suvr.nii.gz")
    nib.save(nib.Nifti1Image(image.get_fdata(dtype=np.float32) / mean, image.affine), made)
    return made


def pet_linear(
    t1: Path, pet: Path, template: Path, t1_mni: Path, affine: str, reference: Path, folder: Path
) -> None:
    """PET to the raw T1, to MNI in one interpolation, to ratios of uptake; cropped."""
    import ants

    with timed("clip the PET"):
        clipped = clip(pet, folder)
    with timed("rigid PET to T1"):
        moving = ants.image_read(str(clipped))
        made = ants.registration(
            ants.image_read(str(t1)),
            moving,
            type_of_transform="antsRegistrationSyNQuick[r]",
            outprefix=str(folder / "pet_"),
            random_seed=SEED,
        )
    rigid = made["fwdtransforms"][-1]
    save_points(folder / "pet_to_t1.txt", rigid)
    fixed = ants.image_read(str(template))
    with timed("PET to MNI"):
        placed = ants.apply_transforms(fixed, moving, [affine, rigid])
        ants.image_write(placed, str(folder / "pet_mni.nii.gz"))
    with timed("SyN for the reference region"):
        warp = syn_of_reference(template, t1_mni, folder)
        warped = ants.apply_transforms(fixed, placed, warp)
        ants.image_write(warped, str(folder / "pet_syn.nii.gz"))
    with timed("ratio of uptake"):
        made = suvr(folder / "pet_mni.nii.gz", folder / "pet_syn.nii.gz", reference)
    with timed("crop the PET"):
        crop(made)


def main() -> None:
    """Do the steps of both pipelines."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("t1", "pet", "template", "reference", "folder"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--as-written", action="store_true", help="see above")
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    import ants  # noqa: F401

    seconds["start and imports"] = time.perf_counter() - STARTED
    t1_mni, affine = t1_linear(given.t1, given.template, given.folder, given.as_written)
    save_points(given.folder / "t1_to_mni.txt", affine)
    pet_linear(given.t1, given.pet, given.template, t1_mni, affine, given.reference, given.folder)
    from mri2pet.files import write_json

    write_json(given.folder / "seconds.json", seconds)


if __name__ == "__main__":
    main()
