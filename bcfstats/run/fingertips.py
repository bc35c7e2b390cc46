"""Figures under the column names of a Fingertips export, for tools that read one."""

import pandas as pd

from bcfstats.judge.results import Results
from bcfstats.show.charts.history import period_labels

# As in an export of indicators for counties and unitary authorities, in its order
COLUMNS = (
    *("Indicator ID", "Indicator Name", "Parent Code", "Parent Name", "Area Code", "Area Name", "Area Type"),
    *("Sex", "Age", "Category Type", "Category", "Time period", "Value"),
    *("Lower CI 95.0 limit", "Upper CI 95.0 limit", "Lower CI 99.8 limit", "Upper CI 99.8 limit"),
    *("Count", "Denominator", "Value note", "Recent Trend", "Compared to England value or percentiles"),
    *("Compared to Region value or percentiles", "Time period Sortable", "New data", "Compared to goal"),
)


def fingertips_table(results: Results) -> pd.DataFrame:
    """Lay every figure of a run out under the column names of a Fingertips export."""
    series = results.series.reset_index(drop=True)
    metrics = {metric.id: metric for metric in results.metrics}
    of = [metrics[name] for name in series["metric"]]
    areas = results.areas.set_index("area_code").reindex(series["area_code"])
    status = series["status"].str.replace("_", " ").str.capitalize()
    note = series["status_note"].fillna("")
    starts = pd.to_datetime(series["period_start"])
    month = starts.dt.month.where(series["frequency"] == "month", 0)
    found = {
        "Indicator ID": [metric.fingertips_id for metric in of],
        "Indicator Name": [metric.name for metric in of],
        "Parent Code": areas["region_code"].to_numpy(),
        "Parent Name": areas["region"].to_numpy(),
        "Area Code": series["area_code"],
        "Area Name": series["area_name"],
        "Area Type": areas["area_type"].to_numpy(),
        "Age": [metric.age_group for metric in of],
        "Time period": period_labels(series),
        "Value": series["value"],
        "Lower CI 95.0 limit": series["lower"],
        "Upper CI 95.0 limit": series["upper"],
        "Count": series["numerator"],
        "Denominator": series["denominator"],
        "Value note": status.where(note == "", status + ": " + note).mask(series["status"] == "ok", note),
        "Time period Sortable": starts.dt.year * 10_000 + month * 100,
    }
    return pd.DataFrame(found).reindex(columns=list(COLUMNS))
