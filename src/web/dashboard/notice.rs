use crate::{
    counters::{Counters, State},
    report::Health,
    web::{format, site::Site},
};

/// What somebody should know before believing the numbers.
#[derive(Clone, Debug)]
pub(super) struct Notice {
    /// `info`, `warn` or `bad`.
    pub(super) class: &'static str,
    pub(super) text: String,
}

const NO_HIT: &str = "Recording, and there was no hit yet: send the service a request, and it is here within two seconds.";

pub(super) fn of(site: &Site, health: &Health) -> Option<Notice> {
    let notice = |class, text| Some(Notice { class, text });
    let Some(analytics) = &site.recording else {
        return match health.heartbeat {
            _ if health.recording => dropped(&health.counters).or_else(|| unusable(health)),
            Some(beat) => notice("info", format!("Nobody records in this directory now; the last one did at {}.", format::time(beat))),
            None => notice("info", "Nobody has recorded in this directory yet. Add the layer to a service and point it here.".to_owned()),
        };
    };
    let reason = analytics.recorder().fault().unwrap_or_default();
    match analytics.state() {
        State::Recording => dropped(&analytics.counters()).or_else(|| unusable(health)).or_else(|| {
            let is_empty = health.parts.iter().all(|part| part.hits == 0);
            is_empty.then(|| Notice { class: "info", text: NO_HIT.to_owned() })
        }),
        State::Waiting => notice("info", format!("Not recording yet: {reason}.")),
        State::Faulted => notice(
            "bad",
            format!(
                "Recording is interrupted: {reason}. Requests go on; hits wait in the bounded queue and it is tried again. {}",
                dropped(&analytics.counters()).map(|dropped| dropped.text).unwrap_or_default()
            ),
        ),
        State::Stopped => notice("info", "The recorder has been shut down.".to_owned()),
    }
}

fn unusable(health: &Health) -> Option<Notice> {
    let of_state = |state, what| {
        let months: Vec<_> = health.parts.iter().filter(|part| part.state == state).map(|part| format::month(&part.month)).collect();
        (!months.is_empty()).then(|| format!("The raw hits of {} {what}", months.join(", ")))
    };
    let said = [of_state("missing", "are not where they were"), of_state("damaged", "cannot be read, as the file is damaged")];
    let said: Vec<String> = said.into_iter().flatten().collect();
    let text = format!(
        "{}: their counts stay, and what only the hits can say is refused. Bring the file back from a backup; `tower-analytics doctor` names it.",
        said.join(". ")
    );
    (!said.is_empty()).then_some(Notice { class: "warn", text })
}

fn dropped(counters: &Counters) -> Option<Notice> {
    let causes = counters.by_cause().into_iter().filter(|(_, hits)| *hits > 0);
    let causes: Vec<_> = causes.map(|(cause, hits)| format!("{} ({cause})", format::number(hits))).collect();
    let text = format!(
        "{} {} dropped since the recorder started: {}.",
        format::counted(counters.dropped(), "hit"),
        if counters.dropped() == 1 { "was" } else { "were" },
        causes.join(", ")
    );
    (counters.dropped() > 0).then_some(Notice { class: "warn", text })
}
