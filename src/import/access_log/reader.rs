use super::{log_file::LogFile, log_part::LogPart};
use crate::{
    clock::Millis,
    error::Error,
    hit::SessionId,
    import::{
        found::{Found, Noted},
        source::{Content, End, Imported, Progress, Rules, Source},
    },
    pattern::Routes,
    recorder::{Devices, Noise, Sessions},
    sink::Resume,
};

/// Hits of access logs, in order of time: several files are read at once, each at its own pace.
///
/// Lines of one file stay as they stand. Servers write them when requests end, so that they are in order but for a moment.
pub(crate) struct AccessLog {
    files: Vec<LogFile>,
    /// The file that is read, and up to when it alone is.
    current: usize,
    until: Millis,
    routes: Routes,
    noise: Noise,
    devices: Devices,
    sessions: Sessions,
    timeout: Millis,
    newest: Millis,
    swept: Millis,
    since_swept: u32,
    ended: Vec<SessionId>,
    found: Found,
    done: bool,
}

/// The most sessions open at once, as live.
const OPEN_SESSIONS: usize = 200_000;
const DEVICES: usize = 50_000;

/// Sessions that are over are put away after so long a time of the log, or so many hits.
const SWEEP: Millis = 10 * 60_000;
const SWEEP_HITS: u32 = 100_000;

impl AccessLog {
    pub(crate) fn open(parts: &[LogPart], routes: Routes, noise: Noise, rules: Rules, progress: &Progress) -> Result<Self, Error> {
        for part in parts {
            progress.expect(part.path.metadata().map_or(0, |about| about.len()));
        }
        let mut log = Self {
            files: Vec::new(),
            current: 0,
            until: Millis::MIN,
            routes,
            noise,
            devices: Devices::new(DEVICES),
            sessions: Sessions::new(rules.timeout, rules.longest, OPEN_SESSIONS, Resume::default()),
            timeout: rules.timeout,
            newest: Millis::MIN,
            swept: Millis::MIN,
            since_swept: 0,
            ended: Vec::new(),
            found: Found::default(),
            done: false,
        };
        for part in parts {
            let mut file = LogFile::open(part, progress)?;
            if file.advance(&log.routes, &mut log.found)? {
                log.files.push(file);
            }
        }
        log.choose();
        Ok(log)
    }

    /// The files as they were when it was looked what is new in them, and how many of them ended in the middle of a line.
    pub(crate) fn remembering(mut self, contents: Vec<Content>, cut: u64) -> Self {
        self.found.contents = contents;
        (0..cut).for_each(|_| self.found.note(Noted::Unfinished));
        self
    }

    #[cfg(test)]
    pub(super) fn found(&self) -> &Found {
        &self.found
    }

    /// The file with the oldest line, until another's turn comes.
    fn choose(&mut self) {
        let oldest = self.files.iter().enumerate().min_by_key(|(number, file)| (file.at, *number));
        self.current = oldest.map_or(0, |(number, _)| number);
        let others = self.files.iter().enumerate().filter(|(number, _)| *number != self.current);
        self.until = others.map(|(_, file)| file.at).min().unwrap_or(Millis::MAX);
    }

    fn sweep(&mut self, now: Millis) {
        (self.swept, self.since_swept) = (now, 0);
        self.sessions.sweep(now);
        self.ended.extend(self.sessions.ended());
        self.sessions.forget_ended();
        // Nobody keeps the salts of an import.
        self.sessions.forget_fresh_salts();
    }

    fn resolve(&mut self, next: &mut Imported, at: Millis) {
        let hit = &mut next.hit;
        self.devices.resolve(hit);
        let action = !self.noise.covers(hit);
        // By the log's own clock all of it is now.
        if let Some(resolved) = self.sessions.resolve(hit, at) {
            self.found.sessions += u64::from(resolved.opens);
            hit.resolved = resolved;
        }
        hit.resolved.action = action;
        self.found.hits += 1;
        self.found.actions += u64::from(action);
    }
}

impl Source for AccessLog {
    fn next(&mut self, next: &mut Imported) -> Result<bool, Error> {
        let Some(file) = self.files.get_mut(self.current) else {
            if !std::mem::replace(&mut self.done, true) && self.newest > Millis::MIN {
                self.sweep(self.newest + self.timeout + 1);
            }
            return Ok(false);
        };
        next.clear();
        std::mem::swap(&mut next.hit, &mut file.hit);
        next.timed = file.timed;
        let at = file.at;
        if !file.advance(&self.routes, &mut self.found)? {
            self.files.remove(self.current);
            self.choose();
        } else if file.at > self.until {
            self.choose();
        }
        self.newest = self.newest.max(at);
        self.since_swept += 1;
        if self.newest.saturating_sub(self.swept) > SWEEP || self.since_swept > SWEEP_HITS {
            self.sweep(self.newest);
        }
        self.resolve(next, at);
        Ok(true)
    }

    fn take_ended(&mut self) -> Vec<SessionId> {
        std::mem::take(&mut self.ended)
    }

    fn end(&mut self) -> End {
        self.found.end("access-log")
    }
}
