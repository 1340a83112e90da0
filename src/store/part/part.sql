-- One UTC month of raw rows. NNNNNN stands for the month. No index on the raw rows: one cost 70 % of the insert speed.
create table session_actions_NNNNNN (
    id integer primary key,
    at integer not null,
    session integer not null,
    user integer not null,
    endpoint integer not null,
    device integer not null,
    outcome integer not null,
    head_us integer not null,
    body_us integer not null,
    bytes_in integer not null,
    bytes_out integer not null,
    error integer not null
) strict;
create table sessions_NNNNNN (
    number integer primary key,
    user integer not null,
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
    rows blob not null
) strict;
create index sessions_user_NNNNNN on sessions_NNNNNN (user);
-- synced: the number of the fold for which it was last forced to the disk. since: the last row of an earlier file of this month that is gone.
create table part (month integer not null, file_id blob not null, synced integer not null, since integer not null) strict;
