use askama::Template;

use super::{page::Outcome, view::View};
use crate::web::{api::params::Param, format};

/// A part of a page: one question's answer, or why there is none.
#[derive(Debug, Template)]
#[template(path = "_panel.html")]
pub(super) struct Panel {
    /// By which browsers remember how wide it is and where it stands.
    id: &'static str,
    title: String,
    /// What its numbers mean.
    about: &'static str,
    /// Of twelve columns.
    width: u8,
    /// Whether half a line is enough for it where lines are very long.
    half: bool,
    more: Option<(String, String)>,
    json: Option<String>,
    csv: Option<String>,
    body: Body,
    /// How long the answer took and what it was made from.
    foot: String,
}

#[derive(Debug)]
enum Body {
    Shown(String),
    /// What to do next.
    Empty(String),
    Failed(String),
}

/// What is drawn of an answer: markup, or what to say in its place.
pub(super) type Drawn = Result<String, &'static str>;

impl Panel {
    pub(super) fn of<T>(id: &'static str, title: &str, answer: &Outcome<T>, draw: impl FnOnce(&T) -> Drawn) -> Self {
        let (body, foot) = match answer {
            Ok(answer) => {
                let body = draw(answer).map_or_else(|what| Body::Empty(what.to_owned()), Body::Shown);
                let source = if answer.source().name() == "raw" { "raw hits" } else { "roll-ups" };
                (body, format!("{} from {source}", format::duration(answer.took())))
            }
            Err(problem) => (Body::Failed(problem.message().to_owned()), String::new()),
        };
        Self { id, title: title.to_owned(), about: "", width: 6, half: false, more: None, json: None, csv: None, body, foot }
    }

    /// What somebody else has answered.
    pub(super) fn given(id: &'static str, title: &str, body: Result<String, String>, foot: String) -> Self {
        let body = body.map_or_else(Body::Failed, Body::Shown);
        Self { id, title: title.to_owned(), about: "", width: 6, half: false, more: None, json: None, csv: None, body, foot }
    }

    /// Something that is known without a question.
    pub(super) fn fixed(id: &'static str, title: &str, markup: String) -> Self {
        let body = Body::Shown(markup);
        Self { id, title: title.to_owned(), about: "", width: 6, half: false, more: None, json: None, csv: None, body, foot: String::new() }
    }

    /// So many of twelve columns.
    pub(super) fn width(mut self, width: u8) -> Self {
        self.width = width;
        self
    }

    /// A whole line, and half of one where lines are very long.
    pub(super) fn half(self) -> Self {
        Self { half: true, ..self.width(12) }
    }

    pub(super) fn titled(mut self, title: &str) -> Self {
        title.clone_into(&mut self.title);
        self
    }

    pub(super) fn about(mut self, about: &'static str) -> Self {
        self.about = about;
        self
    }

    /// Where there is more of it.
    pub(super) fn more(mut self, label: &str, href: String) -> Self {
        self.more = Some((label.to_owned(), href));
        self
    }

    /// Where programs get the same.
    pub(super) fn api(self, view: &View, path: &str, takes: &[&[Param]]) -> Self {
        let csv = view.api(&format!("{path}.csv"), takes);
        Self { csv: Some(csv), ..self.json(view, path, takes) }
    }

    /// The same, where it is no list.
    pub(super) fn json(mut self, view: &View, path: &str, takes: &[&[Param]]) -> Self {
        self.json = Some(view.api(path, takes));
        self
    }

    /// Of an answer with several lists, this one.
    pub(super) fn list(mut self, name: &str) -> Self {
        if let Some(csv) = &mut self.csv {
            csv.push(if csv.contains('?') { '&' } else { '?' });
            csv.push_str("list=");
            csv.push_str(name);
        }
        self
    }

    fn is_failed(&self) -> bool {
        matches!(self.body, Body::Failed(_))
    }
}

/// Of parts that cannot fail to be written.
pub(super) fn markup(part: &impl Template) -> String {
    part.render().unwrap_or_default()
}
