"""What a methods paragraph of a run cites."""

REFERENCES = {
    "adni": "Petersen RC, Aisen PS, Beckett LA, et al. Alzheimer's Disease Neuroimaging "
    "Initiative (ADNI): clinical characterization. Neurology 2010;74:201-209.",
    "ants": "Avants BB, Tustison NJ, Song G, et al. A reproducible evaluation of ANTs "
    "similarity metric performance in brain image registration. NeuroImage "
    "2011;54:2033-2044.",
    "aal": "Tzourio-Mazoyer N, Landeau B, Papathanassiou D, et al. Automated anatomical "
    "labeling of activations in SPM. NeuroImage 2002;15:273-289.",
    "bids": "Gorgolewski KJ, Auer T, Calhoun VD, et al. The brain imaging data structure. "
    "Scientific Data 2016;3:160044.",
    "dcm2niix": "Li X, Morgan PS, Ashburner J, Smith J, Rorden C. The first step for "
    "neuroimaging data analysis: DICOM to NIfTI conversion. J Neurosci Methods "
    "2016;264:47-56.",
    "deepbet": "Fisch L, Zumdick S, Barkhau C, et al. deepbet: fast brain extraction of "
    "T1-weighted MRI using convolutional neural networks. Comput Biol Med "
    "2024;179:108845.",
    "dual_glow": "Sun H, Mehta R, Zhou HH, et al. DUAL-GLOW: conditional flow-based "
    "generative model for modality transfer. ICCV 2019.",
    "gan_anomaly": "Zotova D, Jung J, Lartizien C. GAN-based synthetic FDG PET images from T1 "
    "brain MRI can serve to improve performance of deep unsupervised anomaly "
    "detection models.",
    "gla_gan": "Sikka A, Skand, Virk JS, Bathula DR. MRI to PET cross-modality translation "
    "using globally and locally aware GAN (GLA-GAN) for multi-modal diagnosis of "
    "Alzheimer's disease.",
    "ixi": "IXI dataset, Information eXtraction from Images. brain-development.org/ixi-dataset.",
    "n4": "Tustison NJ, Avants BB, Cook PA, et al. N4ITK: improved N3 bias correction. IEEE "
    "Trans Med Imaging 2010;29:1310-1320.",
    "petbids": "Norgaard M, Matheson GJ, Hansen HD, et al. PET-BIDS, an extension to the "
    "brain imaging data structure for positron emission tomography. Scientific "
    "Data 2022;9:65.",
    "pytorch": "Paszke A, Gross S, Massa F, et al. PyTorch: an imperative style, "
    "high-performance deep learning library. NeurIPS 2019;32.",
    "robex": "Iglesias JE, Liu CY, Thompson PM, Tu Z. Robust brain extraction across datasets "
    "and comparison with publicly available methods. IEEE Trans Med Imaging "
    "2011;30:1617-1634.",
    "sklearn": "Pedregosa F, Varoquaux G, Gramfort A, et al. Scikit-learn: machine learning "
    "in Python. J Mach Learn Res 2011;12:2825-2830.",
    "snakemake": "Mölder F, Jablonski KP, Letcher B, et al. Sustainable data analysis with "
    "Snakemake. F1000Research 2021;10:33.",
    "ssim": "Wang Z, Bovik AC, Sheikh HR, Simoncelli EP. Image quality assessment: from error "
    "visibility to structural similarity. IEEE Trans Image Process 2004;13:600-612.",
    "syn": "Avants BB, Epstein CL, Grossman M, Gee JC. Symmetric diffeomorphic image "
    "registration with cross-correlation. Med Image Anal 2008;12:26-41.",
}


class Citations:
    """Numbers references in the order in which a text cites them."""

    def __init__(self) -> None:
        self.cited: list[str] = []

    def __call__(self, *keys: str) -> str:
        """Return the numbers of some references, as `[1, 2]`."""
        for key in keys:
            if key not in REFERENCES:
                raise KeyError(key)
            if key not in self.cited:
                self.cited.append(key)
        return f"[{', '.join(str(self.cited.index(key) + 1) for key in keys)}]"

    def listed(self) -> list[str]:
        """Return the list at the end of the text."""
        return [f"{i}. {REFERENCES[key]}" for i, key in enumerate(self.cited, start=1)]
