//! Work that was begun and not ended: its process was killed, or the work itself brought it down. A process that is stopped puts it back.
//!
//! It is begun again once; interrupted twice, it is given up and must be asked for again. Not so an erasure: somebody was promised it, so
//! it is begun again until it is done, or has failed for a reason. If it is what kills the process, the service must come up all the
//! same and record: from the third time on it waits, a minute and then twice as long each time, up to a day. That is by the clock, from
//! the start after the interruption on, so that further starts do not put it off.

use rusqlite::{Connection, OptionalExtension};

use super::Kind;

const DAY_S: i64 = 86_400;

/// At a start. Of jobs that ended, only the latest are kept.
pub(in crate::store) fn begin_again(tx: &Connection) -> rusqlite::Result<()> {
    tx.execute("update jobs set interrupted = interrupted + 1, changed = unixepoch() where state = 'running'", [])?;
    let given_up =
        "update jobs set state = 'failed', argument = '', message = 'it was interrupted twice: the log says why; ask for it again'
                    where state = 'running' and interrupted > 1 and kind <> ?";
    tx.execute(given_up, [Kind::Forget.name()])?;
    let waiting = "update jobs set state = 'waiting', message = iif(interrupted < 2, '', 'it was interrupted ' || interrupted
                       || ' times: the log says why; it is begun again by itself, later each time') where state = 'running'";
    tx.execute(waiting, [])?;
    tx.execute("delete from jobs where state in ('done', 'failed') and id <= (select max(id) from jobs) - 100", [])?;
    Ok(())
}

/// The number, the kind and the argument of what is to be done next: what was asked for first.
pub(in crate::store) fn next(main: &Connection) -> rusqlite::Result<Option<(i64, String, String)>> {
    let mut statement = main.prepare_cached(include_str!("job_next.sql"))?;
    statement.query_row([DAY_S], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).optional()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::schema;

    /// A job of each kind, that was begun.
    fn begun(kinds: &[&str]) -> (tempfile::TempDir, Connection) {
        let directory = tempfile::tempdir().unwrap();
        let main = schema::open(directory.path(), None).unwrap();
        for kind in kinds {
            main.execute(include_str!("job_new.sql"), [kind, "\"ann\""]).unwrap();
        }
        run(&main);
        (directory, main)
    }

    fn run(main: &Connection) {
        main.execute("update jobs set state = 'running', changed = unixepoch() where state = 'waiting'", []).unwrap();
    }

    fn is_due(main: &Connection, seconds: i64) -> bool {
        main.execute("update jobs set changed = unixepoch() - ?", [seconds]).unwrap();
        next(main).unwrap().is_some()
    }

    #[test]
    fn work_that_was_interrupted_twice_is_given_up_but_an_erasure_is_not() {
        let (_directory, main) = begun(&["reprocess", "forget"]);
        let states = || {
            let mut statement = main.prepare("select state || ' ' || message from jobs order by id").unwrap();
            statement.query_map([], |row| row.get(0)).unwrap().flatten().collect::<Vec<String>>()
        };
        begin_again(&main).unwrap();
        assert_eq!(states(), ["waiting ", "waiting "]);
        run(&main);
        begin_again(&main).unwrap();
        assert!(states()[0].starts_with("failed it was interrupted twice"), "{:?}", states());
        for _ in 0..40 {
            run(&main);
            begin_again(&main).unwrap();
        }
        assert!(states()[1].starts_with("waiting it was interrupted 42 times"), "{:?}", states());
        assert_eq!(next(&main).unwrap(), None, "not at once");
        assert!(!is_due(&main, DAY_S - 1) && is_due(&main, DAY_S));
        assert_eq!(next(&main).unwrap(), Some((2, "forget".to_owned(), "\"ann\"".to_owned())));
    }

    #[test]
    fn an_erasure_waits_twice_as_long_each_time_and_nothing_else_waits_for_it() {
        let (_directory, main) = begun(&["forget"]);
        for wait in [0, 0, 60, 120, 240, 480] {
            begin_again(&main).unwrap();
            // Starts in between change nothing.
            begin_again(&main).unwrap();
            assert!(is_due(&main, wait) && (wait == 0 || !is_due(&main, wait - 1)), "{wait}");
            assert!(is_due(&main, -1), "a clock that was set back holds nothing up");
            run(&main);
        }
        begin_again(&main).unwrap();
        main.execute(include_str!("job_new.sql"), ["vacuum", ""]).unwrap();
        assert_eq!(next(&main).unwrap().map(|(id, kind, _)| (id, kind)), Some((2, "vacuum".to_owned())));
    }
}
