use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::How;
use crate::{
    error::Error,
    import::{Asked, DurationUnit},
};

/// Import access logs of NGINX or Apache, in the common or the combined format, packed or not.
///
/// The remote user is the user; else address and user agent tell visitors apart, neither of which is kept. A request time is read
/// where the format ends with `$request_time` or says `rt=$request_time`, and with --duration from the last field, whatever it is called.
/// A last line that does not end yet is left for the next import.
#[derive(Args, Clone, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct AccessLog {
    /// The logs
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Templates by which paths become routes, such as /items/{id}; may be said again [default: those of the settings]
    #[arg(long, value_name = "TEMPLATE", value_delimiter = ',')]
    routes: Vec<String>,
    /// The last field says how long each request took, in this: Apache's `%T`, `%{ms}T` or `%D`
    #[arg(long, value_name = "UNIT")]
    duration: Option<Unit>,
    #[command(flatten)]
    how: How,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Unit {
    /// Apache's `%T`, NGINX's `$request_time`
    Seconds,
    /// Apache's `%{ms}T`
    Millis,
    /// Apache's `%D`
    Micros,
}

impl From<Unit> for DurationUnit {
    fn from(unit: Unit) -> Self {
        match unit {
            Unit::Seconds => Self::Seconds,
            Unit::Millis => Self::Millis,
            Unit::Micros => Self::Micros,
        }
    }
}

const EXAMPLES: &str = "Examples:
  tower-analytics import access-log --dry-run /var/log/nginx/access.log
  tower-analytics import access-log /var/log/nginx/access.log* --routes '/items,/items/{id},/static/{*path}'
  tower-analytics import access-log /var/log/apache2/timed.log --duration micros   # LogFormat \"... \\\"%{User-Agent}i\\\" %D\"";

impl AccessLog {
    pub(super) fn run(self) -> Result<(), Error> {
        let Self { files, routes, duration, how } = self;
        how.run(Asked::AccessLog { files, routes, duration: duration.map(DurationUnit::from) })
    }
}
