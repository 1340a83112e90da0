-- To count a whole table is quick, a part of it is walked: the shorter one.
select case
    when ?1 > (select min(first_seen) from users) / 2 + (select max(first_seen) from users) / 2
    then (select count(*) from users) - (select count(*) from users where first_seen >= ?1)
    else (select count(*) from users where first_seen < ?1)
end
