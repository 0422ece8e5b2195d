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


def test_report_holds_methods_checklist_and_the_rules_of_what_ran(finished):
    page = (finished.folder / "results/report/report.html").read_text()
    for said in ("Methods in words", "TRIPOD+AI", "GLA-GAN: files of rules", "IXI: T2 and PD"):
        assert said in page
    assert page.count("<svg") == 4


def test_figures_of_brains_draw_without_a_word(finished):
    """nilearn warns of what it thinks odd; a job of a figure has nothing to say."""
    logs = [path for path in (finished.folder / "logs").rglob("*.log") if "figure_" in str(path)]
    assert any("figure_clusters" in str(path) for path in logs)
    assert not [path for path in logs if "Warning" in path.read_text()]


def test_a_report_of_what_is_there_can_be_made_of_a_whole_run_of_all_systems(finished):
    before = set((finished.folder / "results").rglob("*"))
    finished.snakemake("report_partial")
    page = finished.folder / "results/report/partial.html"
    text = page.read_text()
    for path in set((finished.folder / "results").rglob("*")) - before:  # others look at these
        path.unlink()
    assert "GAN-made PET for anomaly detection" in text
    assert "This report is not whole" not in text
