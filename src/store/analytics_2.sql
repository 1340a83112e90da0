-- Version 2. What came of a job, as JSON.
alter table jobs add column result text not null default '';
-- What was imported: an import is known by a hash of its files, each of its sessions by one of the id that it had there.
create table imports (
    hash blob primary key,
    bytes integer not null,
    kind text not null,
    at integer not null
) strict, without rowid;
create table imported_sessions (hash blob primary key) strict, without rowid;
-- When a user was last seen elsewhere, by what is no hit; only imports know of such.
alter table users add column last_seen integer not null default 0;
create index users_last_seen on users (last_seen) where last_seen > 0;
-- Where a part's raw file was put away, the SHA-256 of what is in there, and the sizes of both.
alter table parts add column archive text not null default '';
alter table parts add column archive_hash text not null default '';
alter table parts add column archive_bytes integer not null default 0;
alter table parts add column raw_bytes integer not null default 0;
