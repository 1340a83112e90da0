use std::path::Path;

use serde::Serialize;

use crate::{
    aging::RetentionRules,
    clock::Millis,
    error::Error,
    store::{Context, MetaKey, PartState, PartView, Snapshot, due, meta_get},
};

/// What would go now, and by which rules.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Expiring {
    /// The rules.
    pub rules: RetentionRules,
    /// Each raw file that would be touched, oldest first.
    pub parts: Vec<ExpiringPart>,
}

/// What would become of one raw file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ExpiringPart {
    /// The month, as `202611`.
    pub month: String,
    /// The name of its raw file.
    pub file: String,
    /// `archived`, `raw hits dropped` or `dropped with its counts`.
    pub what: &'static str,
    /// Hits in it.
    pub hits: u64,
    /// The size of its raw file, or of its archive if it was put away before, in bytes.
    pub bytes: u64,
}

pub(super) fn ask(snapshot: &Snapshot<'_>, rules: Option<&RetentionRules>, now: Millis) -> Result<Expiring, Error> {
    let rules = match rules {
        Some(rules) => rules.clone(),
        None => {
            let kept = meta_get::<String>(snapshot.main(), MetaKey::Retention).context("read the rules for old months")?;
            kept.and_then(|json| serde_json::from_str(&json).ok()).unwrap_or_default()
        }
    };
    let aging = rules.understood()?;
    let mut parts = Vec::new();
    for part in snapshot.parts() {
        let Some(fate) = due(&aging, part.key, part.state, false, now) else { continue };
        let bytes = bytes_of(snapshot, part);
        parts.push(ExpiringPart {
            month: part.month.to_string(),
            file: part.key.to_string(),
            what: fate.name(),
            hits: part.hits.unsigned_abs(),
            bytes,
        });
    }
    parts.sort_by(|a, b| a.file.cmp(&b.file));
    Ok(Expiring { rules, parts })
}

fn bytes_of(snapshot: &Snapshot<'_>, part: &PartView) -> u64 {
    if part.state == PartState::Archived {
        return part.archive_bytes.unsigned_abs();
    }
    let length = |file: &Path| std::fs::metadata(file).map_or(0, |meta| meta.len());
    let file = part.key.file(snapshot.directory());
    length(&file) + length(&file.with_extension("db-wal"))
}
