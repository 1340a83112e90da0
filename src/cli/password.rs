use std::io::{self, BufRead, BufReader, IsTerminal, Read};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use clap::Args;
use zeroize::Zeroizing;

use super::output;
use crate::{
    auth::{MAX_PASSWORD, MIN_PASSWORD, Password},
    error::{Error, ErrorKind},
};

/// Where a password comes from. Never from an argument: every user of the machine can read those.
#[derive(Args, Clone, Debug)]
pub(super) struct PasswordFrom {
    /// Read the password from the first line of the standard input, even if that is a terminal
    #[arg(long)]
    password_stdin: bool,
    /// Make a password and print it, once
    #[arg(long, conflicts_with = "password_stdin")]
    generate: bool,
}

/// 144 bits.
const GENERATED_BYTES: usize = 18;
const TRIES: usize = 3;

/// A password, and its text if it was made here and must be shown.
pub(super) struct Given {
    pub(super) password: Password,
    pub(super) generated: Option<Zeroizing<String>>,
}

impl PasswordFrom {
    pub(super) fn read(&self, name: &str) -> Result<Given, Error> {
        if self.generate {
            let text = generated()?;
            return Ok(Given { password: fit(text.to_string())?, generated: Some(text) });
        }
        let password = if self.password_stdin || !io::stdin().is_terminal() { first_line(io::stdin().lock())? } else { asked(name)? };
        Ok(Given { password, generated: None })
    }
}

/// Asks twice, without showing what is typed.
fn asked(name: &str) -> Result<Password, Error> {
    let name = output::printable(name);
    for _ in 0..TRIES {
        let first = prompt(&format!("Password for {name}, at least {MIN_PASSWORD} characters (15 are better): "))?;
        let password = match fit(first.to_string()) {
            Ok(password) => password,
            Err(error) => {
                output::note(error);
                continue;
            }
        };
        if first == prompt("The same again: ")? {
            return Ok(password);
        }
        output::note("these are two different passwords");
    }
    Err(wrong("no password was set: it was asked for three times".to_owned()))
}

fn prompt(text: &str) -> Result<Zeroizing<String>, Error> {
    let typed = rpassword::prompt_password(text).map(Zeroizing::new);
    typed.map_err(|error| wrong("the terminal cannot be read: use --password-stdin".to_owned()).with_source(error))
}

/// Without its newline, and nothing else taken away.
fn first_line(input: impl Read) -> Result<Password, Error> {
    let mut line = Zeroizing::new(Vec::new());
    let cannot = |error| wrong("the standard input cannot be read".to_owned()).with_source(error);
    // Two more bytes for the newline, one to see that it is too long.
    BufReader::new(input.take(MAX_PASSWORD as u64 + 3)).read_until(b'\n', &mut line).map_err(cannot)?;
    if line.is_empty() {
        return Err(wrong("there is no password on the standard input: its first line is taken".to_owned()));
    }
    if line.last() == Some(&b'\n') {
        line.pop();
        if line.last() == Some(&b'\r') {
            line.pop();
        }
    }
    let text = std::str::from_utf8(&line).map_err(|_| wrong("the password on the standard input is no UTF-8".to_owned()))?;
    fit(text.to_owned())
}

fn fit(text: String) -> Result<Password, Error> {
    Password::chosen(text).map_err(wrong)
}

fn generated() -> Result<Zeroizing<String>, Error> {
    let mut bytes = Zeroizing::new([0; GENERATED_BYTES]);
    getrandom::fill(&mut *bytes).map_err(|error| wrong("the system has no randomness for a password".to_owned()).with_source(error))?;
    Ok(Zeroizing::new(URL_SAFE_NO_PAD.encode(*bytes)))
}

fn wrong(message: String) -> Error {
    Error::new(ErrorKind::Question, message)
}
