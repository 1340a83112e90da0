use std::path::PathBuf;

use clap::Args;

use super::settings::Settings;
use crate::{
    auth::{AccessDb, SessionLimits},
    clock::Clock,
    error::{Error, ErrorKind},
    report::Reports,
};

/// Where everything is kept.
#[derive(Args, Clone, Debug)]
pub(super) struct Place {
    /// The data directory [default: analytics-data]
    #[arg(long, value_name = "DIR")]
    pub(super) data: Option<PathBuf>,
    /// The settings file that names the data directory
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
}

impl Place {
    pub(super) fn settings(&self) -> Result<Settings, Error> {
        Settings::read(self.config.as_deref(), self.data.as_deref())
    }

    /// What was recorded, also while it is recorded.
    pub(super) fn reports(&self) -> Result<Reports, Error> {
        Reports::open(self.settings()?.data()?)
    }

    /// Opens what is there, also while a server has it open; a wrong name makes no new directory.
    pub(super) fn open(&self) -> Result<AccessDb, Error> {
        let settings = self.settings()?;
        let data = settings.data()?;
        if !data.join("access.db").exists() {
            let message = format!(
                "there is no access.db in {}: check --data; `tower-analytics user add` makes it, and a server with [auth] in its settings",
                data.display()
            );
            return Err(Error::new(ErrorKind::Directory, message));
        }
        AccessDb::open(data, Clock::system(), SessionLimits::default())
    }

    /// Opens what is there, if anything is.
    pub(super) fn open_if_there(&self) -> Result<Option<AccessDb>, Error> {
        let settings = self.settings()?;
        if settings.data()?.join("access.db").exists() { self.open().map(Some) } else { Ok(None) }
    }

    /// Opens what is there, or makes it.
    pub(super) fn open_or_make(&self) -> Result<AccessDb, Error> {
        AccessDb::open(self.settings()?.data()?, Clock::system(), SessionLimits::default())
    }
}
