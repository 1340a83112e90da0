use std::{
    fs, io,
    io::Write,
    path::{Path, PathBuf},
};

use clap::Args;
use serde_json::json;

use super::made::{Algorithm, Made};
use crate::{
    cli::output,
    error::{Error, ErrorKind},
};

/// Make a shared secret or a key pair, and say which setting to put it into.
#[derive(Args, Clone, Debug)]
pub(super) struct New {
    /// What it signs with: HS.. is a secret that signer and server share; of the others the server knows only the public half
    #[arg(long, value_enum, ignore_case = true, default_value = "HS256")]
    algorithm: Algorithm,
    /// Write it to a file that only its owner can read, and the public half beside it, to FILE.pub
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Print what was made as JSON
    #[arg(long)]
    json: bool,
}

impl New {
    pub(super) fn run(self) -> Result<(), Error> {
        let made = self.algorithm.make()?;
        match (&self.out, &made) {
            (Some(file), Made::Secret(secret)) => {
                write_new(file, &format!("{}\n", secret.as_str()), true)?;
                self.say_files(file, &format!("hmac_file = {:?}", whole(file)))
            }
            (Some(file), Made::Pair { private, public }) => {
                let beside = public_name(file);
                // The private one last: without it nothing is there that matters.
                refuse_to_overwrite(file)?;
                write_new(&beside, public, false)?;
                write_new(file, private, true)?;
                self.say_files(file, &format!("pem_file = {:?}", whole(&beside)))
            }
            (None, made) => self.print(made),
        }
    }

    fn say_files(&self, file: &Path, keys: &str) -> Result<(), Error> {
        let setting = self.setting(keys);
        if self.json {
            return output::json(&json!({"algorithm": self.algorithm.name(), "file": file, "settings": setting}));
        }
        output::line(format!("Wrote {}, which only its owner can read.", file.display()))?;
        output::line(format!("In the settings of the server, below [[auth.issuer]]:\n{setting}"))
    }

    fn print(&self, made: &Made) -> Result<(), Error> {
        let algorithm = self.algorithm.name();
        match made {
            Made::Secret(secret) if self.json => output::json(&json!({"algorithm": algorithm, "secret": secret.as_str()})),
            Made::Pair { private, public } if self.json => {
                output::json(&json!({"algorithm": algorithm, "private_key": private.as_str(), "public_key": public}))
            }
            // The key alone, so that a shell can take it.
            Made::Secret(secret) => {
                output::line(secret.as_str())?;
                let setting = self.setting("hmac = \"env:ANALYTICS_JWT_SECRET\"");
                output::note(format!("Put it into the environment as ANALYTICS_JWT_SECRET, and below [[auth.issuer]]:\n{setting}"));
                Ok(())
            }
            Made::Pair { private, public } => {
                output::line(format!("{}{}", private.as_str(), public.trim_end()))?;
                let setting = self.setting("pem_file = \"/path/to/the/public/half\"");
                output::note(format!("The first is for whoever signs. The second goes to a file, and below [[auth.issuer]]:\n{setting}"));
                Ok(())
            }
        }
    }

    fn setting(&self, keys: &str) -> String {
        format!("  algorithms = [\"{}\"]\n  keys = {{ {keys} }}", self.algorithm.name())
    }
}

fn public_name(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".pub");
    name.into()
}

fn whole(file: &Path) -> PathBuf {
    std::path::absolute(file).unwrap_or_else(|_| file.to_owned())
}

fn refuse_to_overwrite(file: &Path) -> Result<(), Error> {
    if file.symlink_metadata().is_err() {
        return Ok(());
    }
    let message =
        format!("{} is there already, and a key is never overwritten: choose another name with --out, or move it away", file.display());
    Err(Error::new(ErrorKind::Question, message))
}

fn write_new(file: &Path, text: &str, is_private: bool) -> Result<(), Error> {
    refuse_to_overwrite(file)?;
    let cannot = |error: io::Error| Error::new(ErrorKind::Directory, format!("{} cannot be written", file.display())).with_source(error);
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    if is_private {
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    }
    #[cfg(not(unix))]
    let _ = is_private;
    let mut written = options.open(file).map_err(cannot)?;
    written.write_all(text.as_bytes()).and_then(|()| written.sync_all()).map_err(cannot)
}
