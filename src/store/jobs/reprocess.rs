use std::{collections::VecDeque, path::Path};

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{FailedFile, Step, Work, failed};
use crate::{
    error::{Error, ErrorKind},
    store::{
        opened::Opened,
        part::Part,
        rebuild::Rebuild,
        rollup::{self, Scene},
    },
};

/// What a [`reprocess_months`](crate::Maintenance::reprocess_months) did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Reprocessed {
    /// Raw hits that were read.
    pub hits: u64,
    /// Raw files that could not be read, and why. What was counted of them stays.
    #[serde(default)]
    pub failed: Vec<FailedFile>,
}

/// Makes the roll-ups of some parts anew, one part after the other: each takes the place of the old ones at once.
pub(in crate::store) struct Reprocess {
    parts: VecDeque<i64>,
    rebuild: Option<Rebuild>,
    done: i64,
    total: i64,
    /// Parts that are done, and whether the others go on after one that is not: for upkeep that one is tried again.
    made: usize,
    goes_on: bool,
    failed: Vec<FailedFile>,
}

impl Reprocess {
    pub(in crate::store) fn new<'a>(parts: impl Iterator<Item = &'a Part>) -> Self {
        let (mut numbers, mut total) = (VecDeque::new(), 0);
        for part in parts {
            numbers.push_back(part.number);
            total += part.hits;
        }
        Self { parts: numbers, rebuild: None, done: 0, total, made: 0, goes_on: false, failed: Vec::new() }
    }

    /// Parts whose days are those of another zone than the one that is set now.
    pub(super) fn of_other_days(opened: &Opened) -> Option<Self> {
        let zone = opened.days.zone();
        let mut stale = opened.parts.values().rev().filter(|part| part.has_other_days(zone)).peekable();
        stale.peek()?;
        tracing::info!(zone = zone.name(), "the reporting zone has changed; roll-ups are made anew");
        Some(Self::new(stale))
    }

    /// The argument is months as a JSON array; of none all are meant.
    pub(super) fn asked(opened: &Opened, argument: &str) -> Result<Self, Error> {
        let months: Vec<String> = if argument.is_empty() { Vec::new() } else { serde_json::from_str(argument).map_err(wrong)? };
        for month in &months {
            let mut parts = opened.parts.values().filter(|part| part.month.to_string() == *month).peekable();
            if parts.peek().is_none() {
                return Err(Error::new(ErrorKind::Config, format!("nothing was recorded in {month}: say a month as 202611")));
            }
            if let Some(part) = parts.find(|part| !part.is_whole() && !part.has_fault) {
                let why = match part.state.has_raw() {
                    true => "an earlier file of it is gone",
                    false => part.state.name(),
                };
                let message = format!("not all raw hits of {} are there ({why}): its roll-ups stay as they are", part.key);
                return Err(Error::new(ErrorKind::NoRaw, message));
            }
        }
        // One that could not be read when it was last tried is tried again.
        let may_be_whole = |part: &Part| part.is_whole() || part.state.has_raw() && part.has_fault;
        let is_meant = |part: &&Part| may_be_whole(part) && (months.is_empty() || months.contains(&part.month.to_string()));
        Ok(Self { goes_on: true, ..Self::new(opened.parts.values().filter(is_meant)) })
    }

    /// After an error: what failed is done last.
    pub(super) fn put_off(&mut self) {
        self.rebuild = None;
        self.parts.rotate_left(usize::from(!self.parts.is_empty()));
    }
}

fn wrong(error: serde_json::Error) -> Error {
    Error::new(ErrorKind::Config, "months are asked for as a list").with_source(error)
}

impl Work for Reprocess {
    fn slice(&mut self, opened: &mut Opened, directory: &Path) -> Result<Step, Error> {
        let Some(number) = self.parts.front().copied() else {
            let result = json!({ "hits": self.done, "failed": self.failed });
            return failed::end(self.made, &self.failed, result);
        };
        let part = opened.parts.values().find(|part| part.number == number).map(|part| part.key);
        self.go_on(opened, number, directory).or_else(|error| {
            let Some(key) = part.filter(|_| self.goes_on) else { return Err(error) };
            self.give_up(opened, directory);
            failed::note(&mut self.failed, key, &error);
            self.parts.pop_front();
            Ok(self.more())
        })
    }

    fn give_up(&mut self, opened: &mut Opened, _: &Path) {
        self.rebuild = None;
        drop(rollup::delete_aside(&opened.main));
    }
}

impl Reprocess {
    fn more(&self) -> Step {
        Step::More { done: self.done, total: self.total }
    }

    /// The front one, a little further.
    fn go_on(&mut self, opened: &mut Opened, number: i64, directory: &Path) -> Result<Step, Error> {
        if let Some(part) = opened.parts.values_mut().find(|part| part.number == number && part.has_fault) {
            part.try_again(directory)?;
        }
        let Some(part) = opened.parts.values_mut().find(|part| part.number == number && part.is_whole()) else {
            // Put away or lost in the meantime.
            (self.rebuild, self.parts) = (None, self.parts.split_off(1));
            return Ok(self.more());
        };
        let Some(rebuild) = &mut self.rebuild else {
            self.rebuild = Some(Rebuild::begin(&opened.main, part, directory)?);
            return Ok(self.more());
        };
        let mut scene = Scene { days: &mut opened.days, devices: opened.dictionary.devices() };
        let rows = rebuild.slice(&opened.main, part.watermark, &mut scene)?;
        self.done += rows as i64;
        if rows == 0 {
            if let Some(rebuild) = self.rebuild.take() {
                rebuild.finish(&opened.main, part, &scene)?;
                self.made += 1;
            }
            self.parts.pop_front();
        }
        Ok(self.more())
    }
}
