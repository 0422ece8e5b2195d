"""The report of a whole run."""

from mri2pet.files import read_tsv


def test_report_opens_offline(finished):
    page = (finished.folder / "results/report/report.html").read_text()
    assert "simulated" in page
    for address in ('src="http', "src='http", '<link rel="stylesheet" href="http'):
        assert address not in page


def test_report_is_small_and_opens_with_what_came_out(finished):
    path = finished.folder / "results/report/report.html"
    assert path.stat().st_size <= 8_000_000
    page = path.read_text()
    opening = page[page.index("<h1>") : page.index('<details class="fold">')]
    for said in ("simulated people", "Sound?", "better than", "GLA-GAN", "DUAL-GLOW", "IXI"):
        assert said in opening
    for system in ("gla_gan", "dual_glow", "gan_anomaly"):
        table = read_tsv(finished.folder / f"results/{system}/tables/differences.tsv")
        assert set(table["against"]) == {"mean_pet", "local_regression"}
