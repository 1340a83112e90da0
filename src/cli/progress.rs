use std::io::{self, IsTerminal};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// How far long work has come, for people who watch: on the standard error, and only if that is a terminal.
pub(super) struct Progress(Option<ProgressBar>);

impl Progress {
    /// Says what is done, such as `Verifying`. `quiet` is for programs: nothing is shown.
    pub(super) fn new(what: &'static str, quiet: bool) -> Self {
        if quiet || !io::stderr().is_terminal() {
            return Self(None);
        }
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(10)).with_message(what);
        // A template of our own is right, or the usual one is as good.
        if let Ok(style) = ProgressStyle::with_template("{msg} {wide_bar} {percent:>3} %, {eta} left") {
            bar.set_style(style);
        }
        Self(Some(bar))
    }

    /// So much is done, of so much; both may grow.
    pub(super) fn tell(&self, done: u64, total: u64) {
        if let Some(bar) = &self.0 {
            bar.set_length(total);
            bar.set_position(done);
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}
