//! Answers as lists of plain rows, for CSV. What is nested is written flat.

use serde::Serialize;

use crate::{
    report::{Devices, Errors, Features, LatencySteps, PowerUsers, Retention, Versions},
    spreadsheet,
};

pub(super) type Text = Result<String, csv::Error>;

pub(super) fn devices(answer: &Devices, list: &str) -> Text {
    #[derive(Serialize)]
    struct Row<'a> {
        platform: &'a str,
        version: &'a str,
        users: u64,
        sessions: u64,
        hits: u64,
    }
    #[derive(Serialize)]
    struct Bot<'a> {
        class: &'a str,
        reasons: String,
        hits: u64,
        sessions: u64,
        users: u64,
    }
    let platform = |platform: &'_ crate::report::PlatformRow| (platform.users, platform.sessions, platform.hits);
    match list {
        "platforms" => spreadsheet::write(answer.platforms.iter().map(|row| {
            let (users, sessions, hits) = platform(row);
            Row { platform: &row.platform, version: "", users, sessions, hits }
        })),
        "devices" => spreadsheet::write(&answer.devices),
        "bots" => spreadsheet::write(answer.bots.iter().map(|bot| Bot {
            class: &bot.class,
            reasons: bot.reasons.join(" "),
            hits: bot.hits,
            sessions: bot.sessions,
            users: bot.users,
        })),
        _ => spreadsheet::write(answer.platforms.iter().flat_map(|platform| {
            platform.versions.iter().map(|row| Row {
                platform: &platform.platform,
                version: &row.version,
                users: row.users,
                sessions: row.sessions,
                hits: row.hits,
            })
        })),
    }
}

pub(super) fn latency(answer: &LatencySteps, _: &str) -> Text {
    spreadsheet::write(&answer.steps)
}

pub(super) fn features(answer: &Features, list: &str) -> Text {
    spreadsheet::write(if list == "endpoints" { &answer.endpoints } else { &answer.features })
}

pub(super) fn versions(answer: &Versions) -> Text {
    #[derive(Serialize)]
    struct Row<'a> {
        platform: &'a str,
        version: &'a str,
        start: &'a str,
        users: u64,
        share: f64,
    }
    spreadsheet::write(answer.platforms.iter().flat_map(|platform| {
        platform.versions.iter().flat_map(|version| {
            let steps = version.steps.iter().zip(&version.share).zip(&answer.starts);
            steps.map(|((users, share), start)| Row {
                platform: &platform.platform,
                version: &version.version,
                start,
                users: *users,
                share: *share,
            })
        })
    }))
}

pub(super) fn errors(answer: &Errors, list: &str) -> Text {
    #[derive(Serialize)]
    struct Failure<'a> {
        endpoint: &'a str,
        name: &'a str,
        status: u16,
        outcome: &'a str,
        grpc_status: Option<u8>,
        count: u64,
        users: u64,
        first_seen: &'a str,
        last_seen: &'a str,
    }
    #[derive(Serialize)]
    struct Attached<'a> {
        fingerprint: &'a str,
        kind: &'a str,
        message: &'a str,
        endpoint: &'a str,
        count: u64,
        users: u64,
        last_seen: &'a str,
    }
    if list == "errors" {
        return spreadsheet::write(answer.errors.iter().map(|row| Attached {
            fingerprint: &row.fingerprint,
            kind: &row.kind,
            message: &row.message,
            endpoint: &row.endpoint,
            count: row.count,
            users: row.users,
            last_seen: &row.last_seen,
        }));
    }
    spreadsheet::write(answer.failures.iter().map(|row| Failure {
        endpoint: &row.endpoint,
        name: &row.name,
        status: row.status,
        outcome: &row.outcome,
        grpc_status: row.grpc_status,
        count: row.count,
        users: row.users,
        first_seen: &row.first_seen,
        last_seen: &row.last_seen,
    }))
}

pub(super) fn retention(answer: &Retention) -> Text {
    #[derive(Serialize)]
    struct Row<'a> {
        cohort: &'a str,
        size: u64,
        period: usize,
        users: u64,
        share: Option<f64>,
        complete: bool,
    }
    spreadsheet::write(answer.cohorts.iter().flat_map(|cohort| {
        cohort.periods.iter().enumerate().map(|(period, kept)| Row {
            cohort: &cohort.start,
            size: cohort.users,
            period,
            users: kept.users,
            share: kept.share,
            complete: kept.complete,
        })
    }))
}

pub(super) fn power_users(answer: &PowerUsers) -> Text {
    #[derive(Serialize)]
    struct Row<'a> {
        user_id: &'a str,
        user_name: &'a str,
        actions: u64,
        features_used: u64,
        sessions: u64,
        hits: u64,
        errors: u64,
        time: f64,
        platform: &'a str,
        app_version: &'a str,
    }
    spreadsheet::write(answer.users.iter().map(|row| Row {
        user_id: &row.user.user_id,
        user_name: &row.user.user_name,
        actions: row.user.actions,
        features_used: row.features_used,
        sessions: row.user.sessions,
        hits: row.user.hits,
        errors: row.user.errors,
        time: row.user.time.as_secs_f64(),
        platform: &row.user.platform,
        app_version: &row.user.app_version,
    }))
}
