//! `import`: what was recorded elsewhere.

mod legacy;
mod said;

use clap::{Args, Subcommand};

use crate::error::Error;

/// Store what was recorded elsewhere, as if it had been recorded here.
///
/// Everything is read and checked first, and seen all at once at the end: an import that fails leaves nothing behind. Where a
/// service records in the directory, it does the work, between batches. What was imported before is known again.
#[derive(Args, Clone, Debug)]
pub(super) struct Import {
    #[command(subcommand)]
    what: What,
}

#[derive(Clone, Debug, Subcommand)]
enum What {
    Legacy(legacy::Legacy),
}

impl Import {
    pub(super) fn run(self) -> Result<(), Error> {
        match self.what {
            What::Legacy(legacy) => legacy.run(),
        }
    }
}
