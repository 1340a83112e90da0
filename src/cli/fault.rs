use std::process::ExitCode;

use crate::error::Error;

/// One clear line, and exit code 1.
pub(super) fn exit(result: Result<(), Error>) -> ExitCode {
    exit_with(result.map(|()| ExitCode::SUCCESS))
}

/// The same for a command whose answer may be no.
pub(super) fn exit_with(result: Result<ExitCode, Error>) -> ExitCode {
    match result {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {}", error.chain());
            ExitCode::FAILURE
        }
    }
}
