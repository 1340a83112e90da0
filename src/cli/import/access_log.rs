use std::path::PathBuf;

use clap::Args;

use super::How;
use crate::{error::Error, import::Asked};

/// Import access logs of NGINX or Apache, in the common or the combined format, packed or not.
///
/// The remote user is the user; else address and user agent tell visitors apart, neither of which is kept. A request time is read
/// where the format ends with `$request_time` or says `rt=$request_time`.
#[derive(Args, Clone, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct AccessLog {
    /// The logs
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Templates by which paths become routes, such as /items/{id}; may be said again [default: those of the settings]
    #[arg(long, value_name = "TEMPLATE", value_delimiter = ',')]
    routes: Vec<String>,
    #[command(flatten)]
    how: How,
}

const EXAMPLES: &str = "Examples:
  tower-analytics import access-log --dry-run /var/log/nginx/access.log
  tower-analytics import access-log /var/log/nginx/access.log* --routes '/items,/items/{id},/static/{*path}'";

impl AccessLog {
    pub(super) fn run(self) -> Result<(), Error> {
        let Self { files, routes, how } = self;
        how.run(Asked::AccessLog { files, routes })
    }
}
