-- Version 3. How often a job was interrupted.
alter table jobs add column interrupted integer not null default 0;
