use rusqlite::Connection;

use crate::{
    clock::Month,
    store::{part::Part, raw::for_month},
};

/// Cuts off what a part's copy holds beyond the copy of analytics.db: rows past the watermark, and sessions that were put away only
/// afterwards, which go on there.
pub(super) fn trim(copy: &Connection, part: &Part, main: &Connection, folds: i64) -> rusqlite::Result<()> {
    let month: Month = part.month;
    let tx = copy.unchecked_transaction()?;
    tx.execute(&for_month("delete from session_actions_NNNNNN where id > ?", month), [part.watermark])?;
    if !part.key.is_import() {
        tx.execute(&for_month("delete from sessions_NNNNNN where number >= ?", month), [part.next_session])?;
        let mut open = main.prepare("select number from active_sessions where month = ?")?;
        let mut put_away = tx.prepare(&for_month("delete from sessions_NNNNNN where number = ?", month))?;
        let mut rows = open.query([month.number()])?;
        while let Some(row) = rows.next()? {
            put_away.execute([row.get::<_, i64>(0)?])?;
        }
    }
    // It was forced to the disk for this fold and none later.
    tx.execute("update part set synced = min(synced, ?)", [folds])?;
    tx.commit()
}
