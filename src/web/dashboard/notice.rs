use crate::{counters::State, report::Health, web::format, web::host::Site};

/// What somebody should know before believing the numbers.
#[derive(Clone, Debug)]
pub(super) struct Notice {
    /// `info`, `warn` or `bad`.
    pub(super) class: &'static str,
    pub(super) text: String,
}

pub(super) fn of(site: &Site, health: &Health) -> Option<Notice> {
    let notice = |class, text| Some(Notice { class, text });
    let Some(analytics) = &site.recording else {
        return match health.heartbeat {
            _ if health.recording => dropped(health.counters.dropped()),
            Some(beat) => notice("info", format!("Nobody records in this directory now; the last one did at {}.", format::time(beat))),
            None => notice("info", "Nobody has recorded in this directory yet. Add the layer to a service and point it here.".to_owned()),
        };
    };
    let reason = analytics.recorder().fault().unwrap_or_default();
    match analytics.state() {
        State::Recording => dropped(analytics.counters().dropped()),
        State::Waiting => notice("info", format!("Not recording yet: {reason}.")),
        State::Faulted => notice(
            "bad",
            format!("Recording is interrupted: {reason}. Requests go on; hits wait in the bounded queue and it is tried again."),
        ),
        State::Stopped => notice("info", "The recorder has been shut down.".to_owned()),
    }
}

fn dropped(hits: u64) -> Option<Notice> {
    let text = format!("{} hits were dropped since the recorder started; the settings say why.", format::number(hits));
    (hits > 0).then_some(Notice { class: "warn", text })
}
