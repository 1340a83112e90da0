-- Schema 1 of access.db. Times are milliseconds since 1970, those of tokens seconds.

create table users (
    id integer primary key autoincrement,
    name text not null unique,
    hash text not null,
    -- Names of roles in order, with blanks between them.
    roles text not null,
    disabled integer not null,
    -- Counts what was changed of password, roles and access: a sign-in that began before a change opens nothing after it.
    version integer not null
) strict;

create table sessions (
    id integer primary key,
    -- SHA-256 of the token, and of the one before it.
    token blob not null unique,
    previous blob unique,
    public_id text not null unique,
    user integer not null references users (id) on delete cascade,
    created integer not null,
    rotated integer not null,
    seen integer not null
) strict;

create index sessions_by_user on sessions (user, created);

create table revoked_tokens (
    issuer text not null,
    id text not null,
    -- When the token ends by itself.
    until integer not null,
    primary key (issuer, id)
) strict, without rowid;

create table revoked_subjects (
    issuer text not null,
    subject text not null,
    -- Tokens issued earlier are void.
    before integer not null,
    -- When the last of them has ended by itself, if that is known.
    until integer,
    primary key (issuer, subject)
) strict, without rowid;

-- One row: counts the changes of the two above, for whoever keeps a copy. Begins anywhere, so that the file that takes the
-- place of another has another number.
create table revocation_version (version integer not null) strict;
insert into revocation_version values (abs(random() % 1000000000000));
