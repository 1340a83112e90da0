//! Plugins that have panels, and how these are asked.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Duration,
};

use http::StatusCode;

use crate::{
    report::{Ask, Cancel},
    web::{
        api::{
            Problem,
            params::{FILTERS, Param, RANGE, ZONE},
        },
        panel_data::{Panel, PanelData},
        router::answered,
    },
};

/// What of an address a panel is asked.
pub(super) const TAKES: &[&[Param]] = &[RANGE, ZONE, FILTERS];

/// A plugin that has panels.
#[derive(Debug)]
pub(in crate::web) struct Plugged {
    pub(in crate::web) name: &'static str,
    /// Below the base path.
    pub(in crate::web) path: &'static str,
    pub(super) panels: Vec<Placed>,
}

#[derive(Debug)]
pub(super) struct Placed {
    pub(super) plugin: &'static str,
    pub(super) panel: Panel,
    /// Below the base path.
    pub(super) path: String,
    /// Its id beside the panels of others; in no name is a `_`.
    pub(super) apart: &'static str,
}

impl Placed {
    /// The answer, unless it takes too long. What is asked of the store ends with the wait; nothing else can be ended.
    pub(super) async fn ask(&self, ask: Ask, limit: Duration) -> Result<PanelData, Problem> {
        let (plugin, panel, cancel) = (self.plugin, &self.panel, Cancel::new());
        let (question, turns) = (Arc::clone(&panel.ask), Arc::clone(&panel.turns));
        let work = async {
            let turn = turns.acquire_owned().await;
            let asked = cancel.clone();
            let work = move || {
                // Kept until it has really ended, whoever has left by then.
                let _turn = turn;
                let answer = catch_unwind(AssertUnwindSafe(|| asked.during(|| question(&ask))));
                answer.map_or_else(|_| Err(panicked(plugin)), |answer| answer.map_err(Problem::from))
            };
            answered(cancel, work).await
        };
        tokio::time::timeout(limit, work).await.unwrap_or_else(|_| {
            tracing::warn!(plugin, panel = panel.id, limit_ms = limit.as_millis() as u64, "a panel was not answered in time");
            let error = format!("the plugin {plugin:?} did not answer within {} s: ask for a shorter range", limit.as_secs_f64());
            Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, error))
        })
    }
}

pub(super) fn panicked(plugin: &str) -> Problem {
    tracing::error!(plugin, "a panel panicked");
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, format!("the plugin {plugin:?} panicked; the server's log says where"))
}
