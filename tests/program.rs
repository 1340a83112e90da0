//! The real program, as a shell runs it: what it takes, what it says, what it leaves behind.

#[path = "program/archive.rs"]
mod archive;
#[path = "program/care.rs"]
mod care;
mod common;
#[path = "program/keys.rs"]
mod keys;
#[path = "program/looking.rs"]
mod looking;
#[path = "program/reprocess.rs"]
mod reprocess;
#[path = "program/running.rs"]
mod running;
#[path = "program/serve.rs"]
mod serve;
#[path = "program/tokens.rs"]
mod tokens;
#[path = "program/users.rs"]
mod users;
