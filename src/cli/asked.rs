use clap::{Args, ValueEnum};

use crate::{
    error::Error,
    report::{Ask, Bots},
};

/// A range and filters, named as the API names them.
#[derive(Args, Clone, Debug)]
pub(super) struct Asked {
    /// So many reporting days, today the last of them [default: all time]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000), conflicts_with_all = ["from", "to"])]
    days: Option<u32>,
    /// The first reporting day (2026-11-02) or moment (RFC 3339)
    #[arg(long, value_name = "DAY")]
    from: Option<String>,
    /// The reporting day or moment before which the range ends
    #[arg(long, value_name = "DAY")]
    to: Option<String>,
    /// Only this platform, such as iOS
    #[arg(long)]
    platform: Option<String>,
    /// Only this version of an app
    #[arg(long = "version", value_name = "VERSION")]
    app_version: Option<String>,
    /// Only this endpoint: method and route template, or the template alone for all methods
    #[arg(long)]
    endpoint: Option<String>,
    /// Only this feature, by its key
    #[arg(long, value_name = "KEY")]
    feature: Option<String>,
    /// Only this user, by the app's own id
    #[arg(long, value_name = "ID")]
    user: Option<String>,
    /// Only this status: a code (404), a class (4xx), failed or aborted
    #[arg(long)]
    status: Option<String>,
    /// Whether bots count
    #[arg(long, value_enum, default_value_t = Audience::Exclude)]
    bots: Audience,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Audience {
    /// People alone
    Exclude,
    /// Bots alone
    Only,
    /// Both
    Include,
}

impl Asked {
    pub(super) fn ask(&self) -> Result<Ask, Error> {
        let mut ask = self.days.map_or_else(Ask::all_time, Ask::last_days);
        if let Some(from) = &self.from {
            ask = ask.from(from)?;
        }
        if let Some(to) = &self.to {
            ask = ask.to(to)?;
        }
        if let Some(status) = &self.status {
            ask = ask.status(status)?;
        }
        let mut set = |value: &Option<String>, filter: fn(Ask, &str) -> Ask| {
            if let Some(value) = value {
                ask = filter(std::mem::take(&mut ask), value);
            }
        };
        set(&self.platform, Ask::platform);
        set(&self.app_version, Ask::version);
        set(&self.endpoint, Ask::endpoint);
        set(&self.feature, Ask::feature);
        set(&self.user, Ask::user);
        Ok(ask.bots(match self.bots {
            Audience::Exclude => Bots::Exclude,
            Audience::Only => Bots::Only,
            Audience::Include => Bots::Include,
        }))
    }
}
