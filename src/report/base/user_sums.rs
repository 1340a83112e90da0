//! What single people did: from the totals of their months, and from sessions where a range cuts a month.

use std::ops::Range;

use hashbrown::HashMap;
use roaring::RoaringBitmap;
use rusqlite::params;

use crate::{
    clock::{DAY_MS, Millis, Month},
    error::Error,
    report::base::{
        ask::Bots,
        group, scan,
        sessions::{self, Session, Which},
        span::Span,
        view::View,
    },
    store::{Context, FIRST_VISITOR, PartView, Row},
};

/// What one person did in a range.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::report) struct UserSum {
    pub(in crate::report) hits: i64,
    /// Sessions that began in it.
    pub(in crate::report) sessions: i64,
    pub(in crate::report) actions: i64,
    pub(in crate::report) errors: i64,
    /// The time of those sessions.
    pub(in crate::report) time: Millis,
    pub(in crate::report) last: Option<Millis>,
    /// The device used last, unless `last_session` is to say that.
    pub(in crate::report) device: u32,
    pub(in crate::report) last_session: Option<LastSession>,
}

/// A session that was somebody's last one; only its hits say with which device it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::report) struct LastSession {
    pub(in crate::report) month: Month,
    pub(in crate::report) number: u32,
    pub(in crate::report) user: u32,
}

pub(in crate::report) type UserSums = HashMap<u32, UserSum>;

impl UserSum {
    fn seen(&mut self, at: Millis, device: u32, last_session: Option<LastSession>) {
        if self.last.is_none_or(|last| at >= last) {
            (self.last, self.device, self.last_session) = (Some(at), device, last_session);
        }
    }

    fn count(&mut self, row: &Row, at: Millis) {
        self.hits += 1;
        self.actions += i64::from(row.outcome.is_action());
        self.errors += i64::from(row.outcome.is_error());
        self.seen(at, row.device, None);
    }
}

/// Of everybody, or of some people alone, whatever the devices they used unless a filter says so.
pub(in crate::report) fn of(view: &mut View<'_, '_>, at: &Range<Millis>, only: Option<&RoaringBitmap>) -> Result<UserSums, Error> {
    let mut sums = UserSums::new();
    for part in view.snapshot.parts().to_vec() {
        view.snapshot.go_on()?;
        let (Some(least), Some(greatest)) = (part.least, part.greatest) else { continue };
        if least >= at.end || greatest < at.start {
            continue;
        }
        if view.filter.tells_hits() {
            by_hits(view, &part, at, only, &mut sums)?;
        } else if at.contains(&least) && at.contains(&greatest) {
            totals(view, &part, only, &mut sums).context("read users' totals")?;
        } else {
            by_sessions(view, &part, at, only, &mut sums)?;
        }
    }
    Ok(sums)
}

/// Of those who were there, as whatever else counts them: bots' hits count for whoever is in the list, and bring nobody into it.
pub(in crate::report) fn of_people(view: &mut View<'_, '_>, span: &Span) -> Result<UserSums, Error> {
    let mut sums = of(view, &span.at, None)?;
    if !view.filter.tells_hits() && view.filter.bots == Bots::Exclude {
        let here = group::users(view, span)?.persons(view);
        sums.retain(|person, _| here.contains(*person));
    }
    Ok(sums)
}

/// Numbers of some people, or of those the filter lets through.
fn members(view: &View<'_, '_>, only: Option<&RoaringBitmap>) -> Option<RoaringBitmap> {
    let people = only.map(|people| people.iter().flat_map(|person| view.aliases.members(person)).collect::<RoaringBitmap>());
    match (people, &view.filter.users) {
        (Some(people), Some(users)) => Some(people & users),
        (people, users) => people.or_else(|| users.clone()),
    }
}

fn totals(view: &View<'_, '_>, part: &PartView, only: Option<&RoaringBitmap>, sums: &mut UserSums) -> rusqlite::Result<()> {
    let mut add = |row: &rusqlite::Row<'_>| -> rusqlite::Result<()> {
        let sum = sums.entry(view.aliases.of(row.get(0)?)).or_default();
        sum.hits += row.get::<_, i64>(1)?;
        sum.sessions += row.get::<_, i64>(2)?;
        sum.actions += row.get::<_, i64>(3)?;
        sum.errors += row.get::<_, i64>(4)?;
        sum.time += row.get::<_, i64>(5)?;
        sum.seen(row.get(6)?, row.get(7)?, None);
        Ok(())
    };
    const SQL: &str = include_str!("user_sums.sql");
    if let Some(members) = members(view, only) {
        let mut statement = view.main().prepare_cached(&format!("{SQL} and user = ?"))?;
        for member in members {
            let mut rows = statement.query(params![part.number, member])?;
            while let Some(row) = rows.next()? {
                add(row)?;
            }
        }
        return Ok(());
    }
    let mut statement = view.main().prepare_cached(SQL)?;
    let mut rows = statement.query([part.number])?;
    while let Some(row) = rows.next()? {
        add(row)?;
    }
    Ok(())
}

/// A hit may be counted in a session a little before its opening hit: whoever ends later is first.
const MARGIN: Millis = DAY_MS;

fn by_sessions(
    view: &mut View<'_, '_>,
    part: &PartView,
    at: &Range<Millis>,
    only: Option<&RoaringBitmap>,
    sums: &mut UserSums,
) -> Result<(), Error> {
    if !part.state.has_raw() {
        return Err(scan::put_away(part));
    }
    let past = sessions::first_past(view, part)?;
    // With a plus before it the index by user is not used: nearly everybody would be looked up there, and put in order.
    let mut which =
        format!(" and number < {past} and last >= {} and opened < {} and +user < {FIRST_VISITOR} and +user > 0", at.start, at.end + MARGIN);
    if let Some(members) = members(view, only) {
        let members: Vec<String> = members.iter().map(|user| user.to_string()).collect();
        which += &format!(" and user in ({})", members.join(","));
    }
    // Row numbers, which are most of a session, are read of those alone that lie across an edge.
    let (mut across, aliases, month) = (Across::new(), view.aliases.clone(), part.month);
    sessions::each(view, part, &Which { only: &which, order: "order by number", limit: usize::MAX >> 1, rows: false }, |session| {
        let Session { user, device, opened, last, time, hits, actions, errors, .. } = session;
        let sum = sums.entry(aliases.of(user)).or_default();
        if at.contains(&opened) {
            sum.sessions += 1;
            sum.time += time;
        }
        if opened - MARGIN >= at.start && last < at.end {
            (sum.hits, sum.actions, sum.errors) = (sum.hits + hits, sum.actions + actions, sum.errors + errors);
            sum.seen(last, device, Some(LastSession { month, number: session.number, user }));
        } else {
            across.insert(session.number, (session.user, opened - MARGIN..last + 1));
        }
        true
    })?;
    if across.len() > FEW {
        count_scanned(view, part, at, &across, sums)?;
    } else {
        count_listed(view, part, at, &across, sums)?;
    }
    // Whoever had nothing but sessions that only touched the range.
    sums.retain(|_, sum| sum.hits > 0 || sum.sessions > 0);
    Ok(())
}

/// Sessions that lie across an edge: whose they are, and when they were.
type Across = HashMap<u32, (u32, Range<Millis>)>;

/// Of more sessions than this single hits are not looked up.
const FEW: usize = 100;

fn count_listed(view: &mut View<'_, '_>, part: &PartView, at: &Range<Millis>, across: &Across, sums: &mut UserSums) -> Result<(), Error> {
    let (start, aliases) = (part.month.start(), view.aliases.clone());
    for (number, (user, _)) in across {
        let Some(session) = sessions::one(view, part, *number)? else { continue };
        let sum = sums.entry(aliases.of(*user)).or_default();
        sessions::each_row(view, part, &session, |row| {
            if at.contains(&(start + row.at)) {
                sum.count(row, start + row.at);
            }
        })?;
    }
    Ok(())
}

/// Reads all hits around the edges in a row, which is less than to look up those of thousands of sessions.
fn count_scanned(view: &mut View<'_, '_>, part: &PartView, at: &Range<Millis>, across: &Across, sums: &mut UserSums) -> Result<(), Error> {
    let (mut first, mut last) = (at.start..at.start, at.end..at.end);
    for (_, time) in across.values() {
        if time.start < at.start {
            first.end = first.end.max(time.end.min(at.end));
        }
        if time.end > at.end {
            last.start = last.start.min(time.start.max(at.start));
        }
    }
    let windows = if first.end >= last.start { vec![at.clone()] } else { vec![first, last] };
    let (aliases, any) = (view.aliases.clone(), vec![Some(0); view.devices()?.iter().count()]);
    for window in windows.iter().filter(|window| !window.is_empty()) {
        scan::each(view, part, window, &any, |row, moment| {
            if let Some((user, _)) = across.get(&row.session) {
                sums.entry(aliases.of(*user)).or_default().count(row, moment);
            }
        })?;
    }
    Ok(())
}

fn by_hits(
    view: &mut View<'_, '_>,
    part: &PartView,
    at: &Range<Millis>,
    only: Option<&RoaringBitmap>,
    sums: &mut UserSums,
) -> Result<(), Error> {
    view.snapshot.note_raw();
    let devices: Vec<Option<u32>> = view
        .devices()?
        .iter()
        .map(|device| view.filter.covers_device(&device.platform, &device.version, device.is_bot()).then_some(0))
        .collect();
    let (filter, aliases, splits) = (view.filter.clone(), view.aliases.clone(), view.filter.splits_sessions());
    let members = members(view, only);
    let mut sessions_of: HashMap<u32, u32> = HashMap::new();
    scan::each(view, part, at, &devices, |row, moment| {
        let passes = devices.get(row.device as usize).is_some_and(Option::is_some)
            && filter.covers(row)
            && (1..FIRST_VISITOR).contains(&row.user)
            && members.as_ref().is_none_or(|members| members.contains(row.user));
        if passes {
            let person = aliases.of(row.user);
            sums.entry(person).or_default().count(row, moment);
            if splits || row.outcome.opens() {
                sessions_of.insert(row.session, person);
            }
        }
    })?;
    let times = scan::times(view, part, &sessions_of.keys().copied().collect())?;
    for (session, person) in sessions_of {
        let sum = sums.entry(person).or_default();
        sum.sessions += 1;
        sum.time += times.get(&session).copied().unwrap_or_default();
    }
    Ok(())
}
