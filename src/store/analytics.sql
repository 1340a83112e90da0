-- analytics.db, version 1. Columns are only ever added at the end.
create table meta (key text primary key, value any) strict, without rowid;

-- Dictionaries: numbers are given by the writer and never used again. Users start at 2 (0 is nobody, 1 is (other)), errors at 2 (0 is none).
create table users (number integer primary key, id text not null unique, name text not null, first_seen integer not null) strict;
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

-- The truth about raw files. `watermark` is the last raw row that everything derived from it contains.
create table parts (
    month integer primary key,
    file text not null unique,
    file_id blob not null,
    state text not null,
    least integer,
    greatest integer,
    watermark integer not null,
    hits integer not null,
    next_session integer not null,
    source text not null
) strict;

-- Sessions that go on, as of their part's watermark. `rows` holds raw row numbers, delta-coded.
create table active_sessions (
    month integer not null,
    number integer not null,
    user integer not null,
    visitor integer,
    key integer not null,
    device integer not null,
    started integer not null,
    last integer not null,
    hits integer not null,
    actions integer not null,
    errors integer not null,
    last_endpoint integer not null,
    rows blob not null,
    primary key (month, number)
) strict, without rowid;
