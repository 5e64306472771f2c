"""A dashboard as Grafana reads it, from its table."""

from collections.abc import Iterable, Mapping

from grafana_foundation_sdk.builders import bargauge, common, dashboard, prometheus, stat, statetimeline, timeseries
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.common import BarGaugeDisplayMode, GraphThresholdsStyleMode, VizOrientation
from grafana_foundation_sdk.models.dashboard import (
    DashboardCursorSync,
    DashboardLinkType,
    DataSourceRef,
    Threshold,
    ThresholdsMode,
    ValueMap,
    ValueMappingResult,
)
from panels import JOB, Board, Panel, Shape

SOURCE = DataSourceRef(type_val="prometheus", uid="${datasource}")
FORMS = {
    Shape.LINES: timeseries.Panel,
    Shape.FIGURES: stat.Panel,
    Shape.BARS: bargauge.Panel,
    Shape.STATES: statetimeline.Panel,
}
HEIGHT = 7
Form = timeseries.Panel | stat.Panel | bargauge.Panel | statetimeline.Panel


def text(board: Board) -> str:
    """Return a dashboard's JSON."""
    return JSONEncoder(indent=2, sort_keys=True, ensure_ascii=False).encode(_dashboard(board).build()) + "\n"


def _dashboard(board: Board) -> dashboard.Dashboard:
    made = (
        dashboard.Dashboard(board.title)
        .uid(board.name)
        .description(board.about)
        .tags([JOB])
        .editable()
        .time("now-30m", "now")
        .refresh("10s")
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .with_variable(dashboard.DatasourceVariable("datasource").label("Data source").type("prometheus"))
        .link(dashboard.DashboardLink("QIKI").type(DashboardLinkType.DASHBOARDS).tags([JOB]).keep_time(True))
    )
    number = 0
    for row in board.rows:
        number += 1
        made.with_row(dashboard.Row(row.title).id(number))
        for panel in row.panels:
            number += 1
            made.with_panel(_panel(panel).id(number))
    return made


def _panel(panel: Panel) -> Form:
    form = FORMS[panel.shape]()
    form.title(panel.title).description(panel.about).unit(panel.unit).datasource(SOURCE)
    form.span(panel.width).height(HEIGHT).targets(list(_queries(panel)))
    if panel.states:
        form.mappings([_mapping(panel.states)])
    if panel.without:
        form.no_value(panel.without)
    if isinstance(form, bargauge.Panel):
        form.orientation(VizOrientation.HORIZONTAL).display_mode(BarGaugeDisplayMode.BASIC)
    if isinstance(form, timeseries.Panel):
        form.min(0)
        _draw_limit(form, panel.limit)
    return form


def _queries(panel: Panel) -> Iterable[prometheus.Dataquery]:
    newest = panel.shape in {Shape.FIGURES, Shape.BARS}
    for letter, line in zip("ABCDEFGH", panel.lines, strict=False):
        query = prometheus.Dataquery().ref_id(letter).expr(line.query).legend_format(line.legend).datasource(SOURCE)
        yield query.instant() if newest else query.range()


def _mapping(states: Mapping[int, tuple[str, str]]) -> ValueMap:
    results = enumerate(states.items())
    return ValueMap(
        {
            str(int(value)): ValueMappingResult(text=name, color=colour, index=index)
            for index, (value, (name, colour)) in results
        }
    )


def _draw_limit(form: timeseries.Panel, limit: float | None) -> None:
    if limit is None:
        return
    steps = [Threshold(value=None, color="green"), Threshold(value=limit, color="red")]
    form.thresholds(dashboard.ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(steps))
    form.thresholds_style(common.GraphThresholdsStyleConfig().mode(GraphThresholdsStyleMode.DASHED))
