//! The real program, as a shell runs it: what it takes, what it says, what it leaves behind.

#[path = "program/archive.rs"]
mod archive;
#[path = "program/care.rs"]
mod care;
mod common;
#[path = "program/damaged.rs"]
mod damaged;
#[path = "program/full_disk.rs"]
mod full_disk;
#[path = "program/half_done.rs"]
mod half_done;
#[path = "program/keys.rs"]
mod keys;
#[path = "program/kills.rs"]
mod kills;
#[allow(dead_code, unreachable_pub, reason = "tests of the importer take all of it")]
#[path = "../src/import/legacy/set/make.rs"]
mod legacy;
#[path = "program/looking.rs"]
mod looking;
#[path = "program/read_only.rs"]
mod read_only;
#[path = "program/reprocess.rs"]
mod reprocess;
#[path = "program/running.rs"]
mod running;
#[path = "program/serve.rs"]
mod serve;
#[path = "program/service.rs"]
mod service;
#[path = "program/takeover.rs"]
mod takeover;
#[path = "program/tokens.rs"]
mod tokens;
#[path = "program/users.rs"]
mod users;
