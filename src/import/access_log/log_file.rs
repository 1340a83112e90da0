use std::{
    io::{self, BufRead, Read},
    net::IpAddr,
    path::PathBuf,
    time::Duration,
};

use super::{day::Days, duration::DurationUnit, line::Line, log_part::LogPart, request::Request, unescape::unescape};
use crate::{
    clock::Millis,
    error::Error,
    hit::{Field, Hit, Outcome},
    import::{
        content,
        fault::{fault, unreadable},
        found::{Found, Noted},
        source::Progress,
    },
    pattern::Routes,
};

/// A log at one of its lines: the next of it that is a hit.
pub(super) struct LogFile {
    path: PathBuf,
    unit: Option<DurationUnit>,
    reader: io::Take<Box<dyn BufRead + Send>>,
    line: Vec<u8>,
    days: Days,
    /// Of the line in its file, or in what is new of it.
    number: u64,
    /// Lines that are not empty.
    lines: u64,
    broken: u64,
    first_broken: Option<String>,
    byte: u64,
    pub(super) at: Millis,
    pub(super) hit: Hit,
    pub(super) timed: bool,
}

/// A longer line is none: it is left out, and never held.
const LONGEST_LINE: u64 = 64 << 10;

/// After so many lines it is clear whether the format is known.
const SAMPLE: u64 = 1000;

impl LogFile {
    pub(super) fn open(part: &LogPart, progress: &Progress) -> Result<Self, Error> {
        let mut reader = content::open(&part.path, progress)?;
        let skipped = io::copy(&mut reader.by_ref().take(part.from), &mut io::sink()).map_err(|error| unreadable(&part.path, error))?;
        Ok(Self {
            path: part.path.clone(),
            unit: part.unit,
            reader: reader.take(part.to.saturating_sub(part.from)),
            line: Vec::new(),
            days: Days::default(),
            number: 0,
            lines: 0,
            broken: 0,
            first_broken: None,
            byte: skipped,
            at: 0,
            hit: Hit::default(),
            timed: false,
        })
    }

    /// Goes to the next hit; `false` at the end.
    pub(super) fn advance(&mut self, routes: &Routes, found: &mut Found) -> Result<bool, Error> {
        while self.read_line()? {
            if self.line.is_empty() {
                continue;
            }
            self.lines += 1;
            found.records += 1;
            let whole = self.line.len() as u64 <= LONGEST_LINE;
            let line = if whole { Line::parse(&self.line, &mut self.days, self.unit) } else { None };
            let Some(line) = line else {
                self.note_broken(found)?;
                continue;
            };
            if self.unit.is_some() && line.took_us.is_none() {
                found.note(Noted::NoDuration);
            }
            if fill(&mut self.hit, &line, routes, found) {
                (self.at, self.timed) = (line.at, line.took_us.is_some());
                return Ok(true);
            }
            found.note(Noted::NotHttp);
        }
        self.check()?;
        Ok(false)
    }

    /// Reads up to the next end of a line, and of one that is too long only the beginning.
    fn read_line(&mut self) -> Result<bool, Error> {
        self.line.clear();
        let unreadable = |error| unreadable(&self.path, error);
        let mut read = (&mut self.reader).take(LONGEST_LINE + 1).read_until(b'\n', &mut self.line).map_err(unreadable)? as u64;
        if read > LONGEST_LINE && self.line.last() != Some(&b'\n') {
            read += self.reader.skip_until(b'\n').map_err(unreadable)? as u64;
        }
        self.byte += read;
        self.number += 1;
        while let Some(b'\n' | b'\r') = self.line.last() {
            self.line.pop();
        }
        Ok(read > 0)
    }

    fn note_broken(&mut self, found: &mut Found) -> Result<(), Error> {
        self.broken += 1;
        found.note(Noted::BrokenLine);
        let shown = || format!("{}: line {} (ends at byte {}): {:?}", self.path.display(), self.number, self.byte, shape(&self.line));
        if self.first_broken.is_none() {
            self.first_broken = Some(shown());
        }
        found.example(shown);
        if self.lines >= SAMPLE { self.check() } else { Ok(()) }
    }

    fn check(&self) -> Result<(), Error> {
        if self.broken * 2 <= self.lines {
            return Ok(());
        }
        let first = self.first_broken.as_deref().unwrap_or_default();
        Err(fault(format!(
            "the format is not known: {first} is not `address - user [26/Nov/2026:03:22:47 +0000] \"GET /path HTTP/1.1\" 200 1234 \"referer\" \"agent\"`, \
             and so are {} of {} lines; import logs in the common or the combined format. Nothing was imported",
            self.broken, self.lines
        )))
    }
}

/// What a line looks like, without what it says: it holds addresses, and what is shown of it is kept.
fn shape(line: &[u8]) -> String {
    let hidden = |c: char| match c {
        '0'..='9' => '0',
        c if c.is_alphabetic() => 'a',
        c => c,
    };
    String::from_utf8_lossy(line).chars().take(120).map(hidden).collect()
}

/// Makes a hit of a line; `false` if it was no request of HTTP.
fn fill(hit: &mut Hit, line: &Line<'_>, routes: &Routes, found: &mut Found) -> bool {
    let request = unescape(line.request);
    let Some(request) = Request::parse(&request) else { return false };
    hit.clear();
    hit.facts.at = Some(line.at);
    hit.facts.made_up = !request.is_standard();
    hit.set(Field::Method, request.method);
    match std::str::from_utf8(request.path).ok().and_then(|path| routes.matching(path)) {
        Some(route) => hit.set(Field::Route, route),
        None => {
            hit.set(Field::Route, "(unmatched)");
            found.unmatched(request.path);
        }
    }
    hit.set_status(line.status);
    if line.status == 499 {
        hit.set_outcome(Outcome::Aborted);
    }
    hit.set_bytes(0, line.bytes);
    if let Some(micros) = line.took_us {
        hit.set_times(Duration::from_micros(micros), Duration::ZERO);
    }
    if !line.user.is_empty() {
        hit.set_user(&String::from_utf8_lossy(&unescape(line.user)));
    }
    if !line.agent.is_empty() {
        hit.set(Field::UserAgent, &String::from_utf8_lossy(&unescape(line.agent)));
    }
    if let Some(address) = std::str::from_utf8(line.address).ok().and_then(|address| address.parse::<IpAddr>().ok()) {
        hit.set_address(address);
    }
    true
}
