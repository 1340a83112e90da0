//! The panels of plugins as cards that look like ours: on their own page, and on the overview.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::task::JoinSet;

use super::{
    bars::Bar,
    chart::{Chart, Unit, series},
    page::Page,
    panel::{Panel as Drawn, markup},
    panels,
    plugged::{Plugged, TAKES, panicked},
    values::Values,
};
use crate::web::{
    api::Problem,
    charts::{self, Heat, Kind},
    format,
    panel_data::{PanelData, Shown},
};

/// So long the overview waits for what is not ours.
const ON_OVERVIEW: Duration = Duration::from_millis(500);

/// A panel that is wanted, by its place.
struct Wanted {
    plugged: Arc<Plugged>,
    place: usize,
    /// Among the panels of others, and not on its own page.
    is_guest: bool,
}

/// What came of it, and how long that took.
type Came = (Result<PanelData, Problem>, Duration);

/// Those of one plugin.
pub(super) async fn of(page: &Page, plugged: &Arc<Plugged>) -> Vec<Drawn> {
    let wanted = (0..plugged.panels.len()).map(|place| Wanted { plugged: Arc::clone(plugged), place, is_guest: false });
    drawn(page, wanted.collect()).await
}

/// Those of all plugins that want to be on the overview. Before there is any hit nothing but a welcome is shown there.
pub(super) async fn on_overview(page: &Page) -> Vec<Drawn> {
    let all = page.plugged().iter().flat_map(|plugged| (0..plugged.panels.len()).map(move |place| (plugged, place)));
    let wanted = all.filter(|(plugged, place)| plugged.panels[*place].panel.on_overview && !page.is_empty());
    drawn(page, wanted.map(|(plugged, place)| Wanted { plugged: Arc::clone(plugged), place, is_guest: true }).collect()).await
}

async fn drawn(page: &Page, wanted: Vec<Wanted>) -> Vec<Drawn> {
    let answers = answers(page, &wanted).await;
    wanted.iter().zip(answers).map(|(wanted, came)| wanted.card(page, came)).collect()
}

/// Asked side by side: the slowest says how long all take.
async fn answers(page: &Page, wanted: &[Wanted]) -> Vec<Option<Came>> {
    // Those that are not done end with the set, when whoever looks at the page leaves.
    let mut asking = JoinSet::new();
    for (at, Wanted { plugged, place, is_guest }) in wanted.iter().enumerate() {
        let (plugged, place, asked) = (Arc::clone(plugged), *place, page.view.ask(TAKES));
        let own = plugged.panels[place].panel.limit;
        let limit = if *is_guest { own.min(ON_OVERVIEW) } else { own };
        asking.spawn(async move {
            let start = Instant::now();
            let data = match asked {
                Ok(asked) => plugged.panels[place].ask(asked, limit).await,
                Err(problem) => Err(problem),
            };
            (at, (data, start.elapsed()))
        });
    }
    let mut answers: Vec<_> = wanted.iter().map(|_| None).collect();
    while let Some(done) = asking.join_next().await {
        if let Ok((at, came)) = done {
            answers[at] = Some(came);
        }
    }
    answers
}

impl Wanted {
    fn card(&self, page: &Page, came: Option<Came>) -> Drawn {
        let Plugged { name, path, panels } = &*self.plugged;
        let placed = &panels[self.place];
        let (data, took) = came.unwrap_or_else(|| (Err(panicked(name)), Duration::ZERO));
        let body = data.as_ref().map(draw).map_err(|problem| problem.message().to_owned());
        let foot = format!("{} by {name}", format::duration(took));
        let id = if self.is_guest { placed.apart } else { placed.panel.id };
        let card = Drawn::given(id, &placed.panel.title, body, foot).api(&page.view, &placed.path, TAKES);
        if self.is_guest { card.more(name, page.view.page(path)) } else { card }
    }
}

fn draw(data: &PanelData) -> String {
    match &data.0 {
        Shown::Number(value) => format!(r#"<p class="big">{}</p>"#, charts::escaped(&format::count(*value))),
        Shown::Text(text) => format!("<p>{}</p>", charts::escaped(text)),
        Shown::Bars(bars) => {
            let bar = |(name, value): &(String, u64)| Bar { name: name.clone(), value: *value, ..Bar::default() };
            panels::bars(bars.iter().map(bar), 20).unwrap_or_else(|nothing| format!(r#"<p class="nothing">{nothing}</p>"#))
        }
        Shown::Lines { names, lines } => {
            let line = |(place, (name, values)): (usize, &(String, Vec<f64>))| {
                let kind = if place == 0 { Kind::Area } else { Kind::Line };
                series(name, place % 6 + 1, kind, values.iter().copied())
            };
            let names = names.iter().map(|name| (name.clone(), name.clone())).collect();
            markup(&Chart::new("", names, lines.iter().enumerate().map(line).collect(), false, Unit::Count))
        }
        Shown::Heat { rows, columns, values } => {
            let [row_names, column_names] = [rows, columns].map(|names| names.iter().map(String::as_str).collect::<Vec<_>>());
            let name = |place: usize, value: u64| {
                let (row, column) = (place / columns.len().max(1), place % columns.len().max(1));
                format!("{} {}: {}", rows[row], columns[column], format::exact(value))
            };
            let titles: Vec<String> = values.iter().enumerate().map(|(place, value)| name(place, *value)).collect();
            let svg = charts::heatmap(&Heat { about: "", rows: &row_names, columns: &column_names, values, titles: &titles });
            format!(
                r#"<div class="scroll heated" tabindex="0" role="group" aria-label="Values: arrow keys">{svg}</div>{}"#,
                table(data, false)
            )
        }
        Shown::Table { .. } => table(data, true),
    }
}

fn table(data: &PanelData, open: bool) -> String {
    let (columns, rows) = data.rows();
    let row = |row: Vec<String>| {
        let mut cells = row.into_iter();
        (cells.next().unwrap_or_default(), cells.collect())
    };
    markup(&Values { columns, rows: rows.into_iter().map(row).collect(), open })
}
