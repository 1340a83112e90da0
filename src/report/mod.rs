//! The questions. One question is one file and one `.sql` of the same stem; what they share is in `base/`.

mod active_sessions;
mod base;
mod check;
mod comparison;
mod devices;
mod doctor;
mod endpoints;
mod errors;
mod expiring;
mod export;
mod features;
mod health;
mod inactive_users;
mod jobs;
mod latency;
mod latest_hits;
mod lifecycle;
mod parts;
mod peak_hours;
mod power_users;
mod reports;
mod retention;
mod session;
mod sessions;
mod stats;
mod stored;
mod traffic;
mod user;
mod user_growth;
mod users;
mod versions;

#[cfg(feature = "dashboard")]
pub(crate) use self::base::page::{MOST_ROWS, USUAL_LIMIT};
pub use self::{
    active_sessions::{ActiveSession, ActiveSessions},
    base::{
        answer::{Answer, Source},
        ask::{Ask, Bots},
        buckets::Interval,
        metric::Latency,
        page::Page,
    },
    check::{Check, MonthCheck},
    comparison::{ComparedFeature, Comparison},
    devices::{BotRow, DeviceRow, Devices, PlatformRow, VersionRow},
    doctor::{Diagnosis, Finding, Severity},
    endpoints::EndpointRow,
    errors::{ErrorRow, Errors, FailureRow},
    expiring::{Expiring, ExpiringPart},
    export::{Export, ExportFormat},
    features::{FeatureRow, Features},
    health::{Health, PartHealth},
    inactive_users::{InactiveUsers, LastVersion},
    jobs::{JobRow, JobRows},
    latency::{LatencyStep, LatencySteps},
    latest_hits::{LatestHit, LatestHits},
    lifecycle::{Lifecycle, LifecycleBucket, Stickiness},
    parts::PartRow,
    peak_hours::{HourRow, PeakHours, WeekHourRow},
    power_users::{Power, PowerUser, PowerUsers},
    reports::Reports,
    retention::{Back, Cohort, Cohorts, Kept, Retention},
    session::{ActionRow, SessionDetail},
    sessions::{SessionRow, Sessions},
    stats::{Numbers, Stats},
    stored::{Dictionary, Stored, StoredFile},
    traffic::{Traffic, TrafficBucket},
    user::{UserDay, UserDetail, UserFeature, UserPlatform},
    user_growth::{UserBucket, UserGrowth},
    users::{UserOrder, UserRow, Users},
    versions::{PlatformVersions, VersionSteps, Versions},
};
#[cfg(feature = "cli")]
pub(crate) use crate::store::backups_beside;
pub use crate::store::{Cancel, Fault, Verified};
