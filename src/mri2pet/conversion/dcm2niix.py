"""Converting one checked DICOM series with dcm2niix."""

import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from mri2pet.conversion.transfer_syntax import needs_copy, plain_copy
from mri2pet.errors import ScanError


def convert_series(
    files: Sequence[Path], folder: Path, numbers: Mapping[Path, int] | None = None
) -> tuple[Path, Path]:
    """Convert one checked series to NIfTI with dcm2niix.

    Parameters
    ----------
    files
        Files of one series.
    folder
        Empty folder to write in.
    numbers
        InstanceNumbers for dcm2niix to see in place of the files' own.

    Returns
    -------
    tuple of Path
        NIfTI (not compressed) and BIDS sidecar, which dcm2niix has stripped of what identifies
        the person.

    Raises
    ------
    ScanError
        dcm2niix fails or does not make exactly one volume.
    """
    from nipype import config
    from nipype.interfaces.dcm2nii import Dcm2niix

    config.set("execution", "check_version", "false")
    programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    folder = folder.resolve()  # nipype changes into it
    with tempfile.TemporaryDirectory(dir=folder, prefix="series-") as series:
        for index, path in enumerate(files):  # a folder of links: dcm2niix converts whole folders
            link = Path(series, f"{index:05d}.dcm")
            number = (numbers or {}).get(path)
            if number is not None or needs_copy(path):
                plain_copy(path, link, number)
            else:
                link.symlink_to(path.resolve())
        dcm2niix = Dcm2niix(
            source_dir=series,
            output_dir=str(folder),
            out_filename="image",
            compress="n",
            bids_format=True,
            anon_bids=True,
            terminal_output="allatonce",
            environ={"PATH": programs},
        )
        try:
            dcm2niix.run(cwd=str(folder))
        except (OSError, RuntimeError) as error:
            if "No command" in str(error) or isinstance(error, FileNotFoundError):
                raise  # the program is not installed: no fault of the scan
            last = str(error).strip().splitlines()[-1]
            raise ScanError(f"dcm2niix cannot convert {files[0].parent} ({last})") from error
    made = sorted(folder.glob("*.nii"))
    if len(made) != 1:
        names = ", ".join(path.name for path in made) or "none"
        raise ScanError(f"dcm2niix made {len(made)} volumes of {files[0].parent}, not 1: {names}")
    sidecar = made[0].with_suffix(".json")
    if not sidecar.is_file():
        raise ScanError(f"dcm2niix cannot tell how the slices of {files[0].parent} follow")
    return made[0], sidecar
