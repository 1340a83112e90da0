use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap},
};

use hashbrown::{HashMap, hash_map::Entry};

use super::{
    errors::Errors,
    rows::{Row, Rows, UNKNOWN},
    run::{Kind, Run},
    visits::Visits,
    who::Who,
};
use crate::{
    clock::{Millis, Month, day_of},
    error::Error,
    hit::{Field, Hit, Outcome, SessionId},
    import::{
        found::{Found, Noted},
        source::{End, Imported, Rules, Source},
    },
};

/// The hits of all sessions in order of time, made one by one: only open sessions are in memory beside the records.
pub(crate) struct InOrder {
    rows: Rows,
    visits: Visits,
    errors: Errors,
    /// Errors by the visit they are in.
    errors_of: HashMap<u32, Vec<u32>>,
    rules: Rules,
    found: Found,
    next_visit: usize,
    runs: BinaryHeap<Reverse<Run>>,
    open: HashMap<u32, Open>,
    numbers: BTreeMap<Month, u32>,
    ended: Vec<SessionId>,
}

/// A visit at whose hits we are.
struct Open {
    session: Option<SessionId>,
    started: Millis,
    /// Runs that have hits to come.
    runs: usize,
}

impl InOrder {
    pub(super) fn new(rows: Rows, visits: Visits, errors: Errors, rules: Rules, found: Found) -> Self {
        let mut order = Self {
            rows,
            visits,
            errors,
            errors_of: HashMap::new(),
            rules,
            found,
            next_visit: 0,
            runs: BinaryHeap::new(),
            open: HashMap::new(),
            numbers: BTreeMap::new(),
            ended: Vec::new(),
        };
        order.place_errors();
        order
    }

    #[cfg(test)]
    pub(super) fn found(&self) -> &Found {
        &self.found
    }

    /// Finds the session of its user in which each error happened; in the timeout after it if in none.
    fn place_errors(&mut self) {
        let mut of_user: HashMap<u32, Vec<u32>> = HashMap::new();
        for (number, error) in self.errors.list.iter().enumerate() {
            if let Some(user) = self.rows.texts.find(&error.user).filter(|_| Who::of(&error.user) == Who::User) {
                of_user.entry(user).or_default().push(number as u32);
            }
        }
        let mut placed: HashMap<u32, (bool, u32)> = HashMap::new();
        for (number, visit) in self.visits.list.iter().enumerate() {
            let Some(first) = self.visits.rows_of(visit).first().map(|row| &self.rows.list[*row as usize]) else { continue };
            for error in of_user.get(&first.user).into_iter().flatten() {
                let at = self.errors.list[*error as usize].at;
                let within = (visit.start..=visit.end).contains(&at);
                let near = (visit.start..=visit.end.saturating_add(self.rules.timeout)).contains(&at);
                if within || (near && !placed.get(error).is_some_and(|(within, _)| *within)) {
                    placed.insert(*error, (within, number as u32));
                }
            }
        }
        for (number, error) in self.errors.list.iter().enumerate() {
            let number = number as u32;
            match placed.get(&number) {
                Some((_, visit)) => self.errors_of.entry(*visit).or_default().push(number),
                None => self.runs.push(Reverse(Run::single(error.at, None, Kind::Error, number))),
            }
        }
    }

    /// All that is to come of the next visit.
    fn open_next(&mut self) {
        let number = self.next_visit as u32;
        let Some(visit) = self.visits.list.get(self.next_visit) else { return };
        self.next_visit += 1;
        let rows = self.visits.rows_of(visit);
        let before = self.runs.len();
        let (mut has_start, mut has_end) = (false, false);
        for place in rows {
            let row = &self.rows.list[*place as usize];
            has_start |= row.actions > 0 && row.start == visit.start && (row.actions > 1 || row.end == row.start);
            has_end |= row.actions > 0 && row.end == visit.end;
            self.runs.extend(Run::spread(number, Kind::Action, *place, row, row.actions).map(Reverse));
            self.runs.extend(Run::spread(number, Kind::Screen, *place, row, row.screens).map(Reverse));
        }
        for (is_there, at, kind, row) in
            [(has_start, visit.start, Kind::Begin, rows.first()), (has_end || visit.end == visit.start, visit.end, Kind::End, rows.last())]
        {
            self.runs.extend(row.filter(|_| !is_there).map(|row| Reverse(Run::single(at, Some(number), kind, *row))));
        }
        for error in self.errors_of.get(&number).into_iter().flatten() {
            self.runs.push(Reverse(Run::single(self.errors.list[*error as usize].at, Some(number), Kind::Error, *error)));
        }
        self.open.insert(number, Open { session: None, started: visit.start, runs: self.runs.len() - before });
    }

    /// The session of a hit, and whether the hit opens it: a month and the greatest age end one. An error opens none.
    fn session(&mut self, visit: u32, at: Millis, is_error: bool) -> (Option<SessionId>, bool) {
        let (Some(open), Some(month)) = (self.open.get_mut(&visit), Month::of(at)) else { return (None, false) };
        let goes_on = |id: &SessionId| id.month == month && at - open.started < self.rules.longest;
        if is_error || open.session.as_ref().is_some_and(goes_on) {
            return (open.session.filter(goes_on), false);
        }
        self.ended.extend(open.session);
        let number = self.numbers.entry(month).or_insert(0);
        *number += 1;
        let id = SessionId { month, number: *number };
        (open.session, open.started) = (Some(id), at);
        self.found.sessions += 1;
        (Some(id), true)
    }

    /// What comes after a hit in its run, or else its session's end.
    fn go_on(&mut self, mut run: Run) {
        let lists = |row: &Row| match run.kind {
            Kind::Action => (row.actions, self.rows.endpoints(row)),
            _ => (row.screens, self.rows.screens(row)),
        };
        if matches!(run.kind, Kind::Action | Kind::Screen) {
            let row = &self.rows.list[run.from as usize];
            let (all, counts) = lists(row);
            if run.step(row, all, counts) {
                self.runs.push(Reverse(run));
                return;
            }
        }
        let Some(visit) = run.visit else { return };
        if let Entry::Occupied(mut open) = self.open.entry(visit) {
            open.get_mut().runs -= 1;
            if open.get().runs == 0 {
                self.ended.extend(open.remove().session);
            }
        }
    }

    fn fill(&mut self, run: &Run, next: &mut Imported) {
        next.clear();
        let (session, opens) = match run.visit {
            Some(visit) => self.session(visit, run.at, run.kind == Kind::Error),
            None => (None, false),
        };
        let hit = &mut next.hit;
        hit.facts.at = Some(run.at);
        (hit.resolved.session, hit.resolved.opens) = (session, opens);
        next.spread = matches!(run.kind, Kind::Action | Kind::Screen);
        if run.kind == Kind::Error {
            self.fill_error(run, session, next);
            return;
        }
        let row = &self.rows.list[run.from as usize];
        let endpoint = |counts: &[(u32, u32)]| counts.get(run.place as usize).map_or(UNKNOWN, |(name, _)| self.rows.texts.text(*name));
        match run.kind {
            Kind::Action => hit.set_route(endpoint(self.rows.endpoints(row))),
            Kind::Screen => hit.set_route(&format!("(screen) {}", endpoint(self.rows.screens(row)))),
            _ => hit.set_route(UNKNOWN),
        }
        hit.set_status(0);
        hit.resolved.action = run.kind == Kind::Action;
        self.fill_who(row, run.at, hit);
        if opens {
            hit.set_user_name(self.rows.texts.text(row.name));
            // A visit that is cut is known by its first session.
            let visit = run.visit.and_then(|visit| self.visits.list.get(visit as usize));
            next.source = visit.filter(|visit| visit.start == run.at).map(|visit| visit.source);
        }
    }

    fn fill_who(&self, row: &Row, at: Millis, hit: &mut Hit) {
        let user = self.rows.texts.text(row.user);
        match Who::of(user) {
            Who::User => hit.set(Field::User, user),
            Who::Visitor | Who::Monitor => hit.resolved.visitor = Some(self.rows.visitor_on(row.visitor, day_of(at))),
        }
        hit.device = Some(self.rows.device_of(row).clone());
    }

    fn fill_error(&mut self, run: &Run, session: Option<SessionId>, next: &mut Imported) {
        let error = &self.errors.list[run.from as usize];
        let hit = &mut next.hit;
        hit.set_route(if error.endpoint.is_empty() { UNKNOWN } else { &error.endpoint });
        hit.set_status(500);
        hit.set_outcome(Outcome::Failed);
        hit.set_error(&error.kind, &error.message);
        next.source = Some(error.source);
        let first = run.visit.and_then(|visit| self.visits.list.get(visit as usize)).and_then(|visit| self.visits.rows_of(visit).first());
        match first.map(|row| &self.rows.list[*row as usize]) {
            Some(row) => self.fill_who(row, run.at, hit),
            None if Who::of(&error.user) == Who::User => {
                hit.set(Field::User, &error.user);
                hit.set_user_name(&error.name);
            }
            None => {}
        }
        if session.is_none() {
            self.found.note(Noted::ErrorsOutside);
        }
    }
}

impl Source for InOrder {
    fn next(&mut self, next: &mut Imported) -> Result<bool, Error> {
        while let Some(visit) = self.visits.list.get(self.next_visit)
            && self.runs.peek().is_none_or(|Reverse(run)| visit.start <= run.at)
        {
            self.open_next();
        }
        let Some(Reverse(run)) = self.runs.pop() else { return Ok(false) };
        self.fill(&run, next);
        self.found.hits += 1;
        self.found.actions += u64::from(next.hit.is_action());
        self.go_on(run);
        Ok(true)
    }

    fn take_ended(&mut self) -> Vec<SessionId> {
        std::mem::take(&mut self.ended)
    }

    fn end(&mut self) -> End {
        self.found.end("legacy")
    }
}
