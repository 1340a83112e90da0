//! Long work: what is done, what waits, and what ended lately.

use super::{
    cell::Cell,
    page::{Outcome, Page},
    panel::{Drawn, Panel, markup},
    table::Table,
};
use crate::report::{JobRow, JobRows};

/// What ended long ago is nobody's business any more.
const ENDED: usize = 12;
/// So much of what is still to be done.
const COMING: usize = 50;

pub(super) fn work(page: &Page, jobs: &Outcome<JobRows>) -> Panel {
    Panel::of("work", "Long work", jobs, |jobs| table(page, jobs)).half().about("Done by whoever records, between batches")
}

fn table(page: &Page, jobs: &JobRows) -> Drawn {
    let is = |job: &JobRow, state: &str| job.state == state;
    let coming = |job: &&JobRow| is(job, "running") || is(job, "waiting");
    // What goes on first, then what comes next, then what ended last.
    let running = jobs.jobs.iter().filter(|job| is(job, "running"));
    let waiting = jobs.jobs.iter().rev().filter(|job| is(job, "waiting"));
    let ended = jobs.jobs.iter().filter(|job| !coming(job));
    let mut table = Table::new("Long work", &[("Work", ""), ("State", ""), ("#Changed", "When this was said of it"), ("Message", "")]);
    for job in running.chain(waiting).take(COMING).chain(ended.take(ENDED)) {
        table.row([
            Cell::text(in_words(&job.kind)).soft(&job.kind),
            state(job),
            Cell::ago(&page.view, Some(job.changed)),
            Cell::text(&*job.message).class("wrapped"),
        ]);
    }
    if table.rows.is_empty() {
        return Err("Nothing goes on. An import, an archive, a merge or months counted anew would be seen here.");
    }
    let shown = table.rows.len();
    let more = match jobs.jobs.len() - shown {
        0 => String::new(),
        more => format!("<p class=\"soft\">and {more} more</p>"),
    };
    Ok(format!("{}{more}", markup(&table.sorted(&page.view, "work"))))
}

fn state(job: &JobRow) -> Cell {
    let class = match &*job.state {
        "failed" => "bad",
        "done" => "good",
        _ => "",
    };
    let cell = |text: String| Cell::text(text).class(class);
    match &*job.state {
        "running" if job.total > 0 => {
            let done = job.done.min(job.total);
            cell(format!("running, {} %", u128::from(done) * 100 / u128::from(job.total))).bar(done, job.total)
        }
        state => cell(state.to_owned()),
    }
}

/// The name is that of the command.
fn in_words(kind: &str) -> &str {
    match kind {
        "archive" => "Putting months away",
        "forget" => "Forgetting a user",
        "import" => "Importing",
        "merge" => "Merging users",
        "reprocess" => "Counting months anew",
        "reset" => "Deleting all of it",
        "restore" => "Bringing months back",
        "retention" => "Rules for old months",
        "vacuum" => "Giving space back",
        _ => "Something else",
    }
}
