-- analytics.db, version 1. Columns are only ever added at the end.
create table meta (key text primary key, value any) strict, without rowid;

-- Dictionaries: numbers are given by the writer and never used again. Users start at 2 (0 is nobody, 1 is (other)), errors at 2 (0 is none).
create table users (number integer primary key, id text not null unique, name text not null, first_seen integer not null) strict;
create index users_first_seen on users (first_seen);
create table endpoints (number integer primary key, method text not null, route text not null, unique (method, route)) strict;
create table devices (
    number integer primary key,
    platform text not null,
    app_version text not null,
    name text not null,
    bot text not null,
    bot_reason text not null,
    unique (platform, app_version, name, bot, bot_reason)
) strict;
create table errors (
    number integer primary key,
    kind text not null,
    message text not null,
    endpoint integer not null,
    sample text not null,
    first_seen integer not null,
    unique (kind, message, endpoint)
) strict;

insert into endpoints (number, method, route) values (0, '', '(other)'), (1, '', '(unmatched)');
insert into devices (number, platform, app_version, name, bot, bot_reason) values (0, '(other)', '', '', '', '');
insert into errors (number, kind, message, endpoint, sample, first_seen) values (1, '(other)', '', 0, '', 0);

-- Visitors live two UTC days; how many numbers a day has given stays, so that none is given twice.
create table salts (day integer primary key, salt blob not null) strict;
create table visitors (day integer not null, hash integer not null, number integer not null, primary key (day, hash)) strict, without rowid;
create table visitor_days (day integer primary key, next integer not null) strict;

-- The truth about raw files. `watermark` is the last raw row that everything derived from it contains; `zone` is the one whose
-- days its roll-ups have. States: open, sealed (complete, with totals), archived, dropped, missing.
create table parts (
    number integer primary key,
    month integer not null,
    file text not null unique,
    file_id blob not null,
    state text not null,
    least integer,
    greatest integer,
    watermark integer not null,
    hits integer not null,
    next_session integer not null,
    source text not null,
    zone text not null
) strict;

-- Sessions that go on, as of their part's watermark. `opened` and `device` are the first hit's, `acted` is the newest action,
-- `time` the milliseconds between actions; `rows` holds raw row numbers, delta-coded.
create table active_sessions (
    month integer not null,
    number integer not null,
    user integer not null,
    visitor integer,
    key integer not null,
    device integer not null,
    opened integer not null,
    acted integer not null,
    last integer not null,
    time integer not null,
    hits integer not null,
    actions integer not null,
    errors integer not null,
    last_endpoint integer not null,
    rows blob not null,
    primary key (month, number)
) strict, without rowid;

-- What raw rows do not say of sessions that opened since the last fold: a row a batch; month, number, key and visitor of each.
create table openings (batch integer primary key, sessions blob not null) strict;

-- Roll-ups. Every row names its part. audience: 0 people, 1 bots. Sums, then a histogram of the time to the head (16 buckets an
-- octave of microseconds), the users as a bitmap of their numbers, the visitors as one of day of month and number.
create table aggregated_metrics (
    id integer primary key,
    part integer not null,
    audience integer not null,
    slot integer not null,
    hits integer not null,
    actions integer not null,
    sessions integer not null,
    time integer not null,
    errors integer not null,
    client_errors integer not null,
    aborted integer not null,
    bytes_in integer not null,
    bytes_out integer not null,
    latency blob not null,
    users blob not null,
    visitors blob not null,
    first_row integer,
    last_row integer,
    unique (part, audience, slot)
) strict;
-- day: reporting days since 1970. dimension: 0 all, 1 endpoint, 2 version, 3 platform, 4 device, 5 bot class, 6 failure, 7 error.
create table daily_metrics (
    id integer primary key,
    part integer not null,
    audience integer not null,
    dimension integer not null,
    day integer not null,
    value any not null,
    hits integer not null,
    actions integer not null,
    sessions integer not null,
    time integer not null,
    errors integer not null,
    client_errors integer not null,
    aborted integer not null,
    bytes_in integer not null,
    bytes_out integer not null,
    latency blob not null,
    users blob not null,
    visitors blob not null,
    unique (part, audience, dimension, day, value)
) strict;
-- What goes wrong has many values and few hits: its trends are read from here alone.
create index daily_metrics_failures on daily_metrics (part, audience, dimension, day, value, hits) where dimension >= 6;
-- Of sealed parts: all their days in one row. Visitors are a number here.
create table part_totals (
    id integer primary key,
    part integer not null,
    audience integer not null,
    dimension integer not null,
    value any not null,
    hits integer not null,
    actions integer not null,
    sessions integer not null,
    time integer not null,
    errors integer not null,
    client_errors integer not null,
    aborted integer not null,
    bytes_in integer not null,
    bytes_out integer not null,
    latency blob not null,
    users blob not null,
    visitors integer not null,
    unique (part, audience, dimension, value)
) strict;
create table user_totals (
    part integer not null,
    user integer not null,
    hits integer not null,
    sessions integer not null,
    actions integer not null,
    errors integer not null,
    time integer not null,
    first_seen integer not null,
    last_seen integer not null,
    last_device integer not null,
    primary key (part, user)
) strict, without rowid;
-- Two ids, one person: `user` is counted as `into`, which is never itself in the first column.
create table aliases (user integer primary key, into_user integer not null) strict;

-- Work that only the holder of the lock may do, asked for by anybody. States: waiting, running, done, failed.
create table jobs (
    id integer primary key,
    kind text not null,
    argument text not null,
    state text not null,
    done integer not null,
    total integer not null,
    message text not null,
    changed integer not null
) strict;
