"""A report to print, to read and to write from: models and sections chosen, files downloaded."""

from pages.ui import frame, reporting, state

state.adopt_link()
frame.open_page(
    "Report",
    "Scores, answers, calibration, operating points, robustness, efficiency and training of these "
    "models as one document: methods with the exact settings, every number with the file that it "
    "came from. Explanations and subgroups are on pages of their own. It needs no data set.",
    builds=True,
)
with frame.guard():
    wanted = reporting.choose()
    if wanted is not None:
        reporting.make(wanted)
state.write_link(reporting.LINK)
