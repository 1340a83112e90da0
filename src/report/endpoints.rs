use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use super::{Ask, bots};
use crate::{
    error::Error,
    store::{Context, FIRST_VISITOR, Packed, PartView, Snapshot, for_month},
};

/// One endpoint's people and how they fared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct EndpointRow {
    /// The method; empty for `(unmatched)` and `(other)`.
    pub method: String,
    /// The route template.
    pub route: String,
    /// Hits.
    pub hits: u64,
    /// Users, each counted once.
    pub users: u64,
    /// Hits that failed or answered 500 or more, or with a gRPC status that is not OK.
    pub errors: u64,
    /// From the call to the end of the body, on average.
    pub mean: Duration,
}

#[derive(Default)]
struct Sum {
    hits: u64,
    errors: u64,
    micros: u64,
    users: HashSet<u32>,
}

pub(super) fn ask(snapshot: &mut Snapshot<'_>, _: &Ask) -> Result<Vec<EndpointRow>, Error> {
    let bots = bots::devices(snapshot)?;
    let mut sums = HashMap::new();
    for part in snapshot.parts() {
        let raw = snapshot.raw(part.month)?;
        add(raw, part, &bots, &mut sums).context("count hits by endpoint")?;
    }
    let mut rows = names(snapshot, sums).context("read endpoints")?;
    rows.sort_by(|a, b| b.hits.cmp(&a.hits).then_with(|| (&a.route, &a.method).cmp(&(&b.route, &b.method))));
    Ok(rows)
}

fn add(raw: &rusqlite::Connection, part: PartView, bots: &HashSet<u32>, sums: &mut HashMap<u32, Sum>) -> rusqlite::Result<()> {
    let mut statement = raw.prepare_cached(&for_month(include_str!("endpoints.sql"), part.month))?;
    let mut rows = statement.query([part.watermark])?;
    while let Some(row) = rows.next()? {
        if bots.contains(&row.get(2)?) {
            continue;
        }
        let sum: &mut Sum = sums.entry(row.get(0)?).or_default();
        let user: u32 = row.get(1)?;
        if user < FIRST_VISITOR {
            sum.users.insert(user);
        }
        sum.hits += 1;
        sum.errors += u64::from(Packed(row.get(3)?).is_error());
        sum.micros += row.get::<_, i64>(4)? as u64;
    }
    Ok(())
}

fn names(snapshot: &Snapshot<'_>, sums: HashMap<u32, Sum>) -> rusqlite::Result<Vec<EndpointRow>> {
    let mut name = snapshot.main().prepare_cached("select method, route from endpoints where number = ?")?;
    let row = |(number, sum): (u32, Sum)| {
        let (method, route) = name.query_row([number], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let mean = Duration::from_micros(sum.micros / sum.hits.max(1));
        Ok(EndpointRow { method, route, hits: sum.hits, users: sum.users.len() as u64, errors: sum.errors, mean })
    };
    sums.into_iter().map(row).collect()
}
