use std::{cell::RefCell, sync::Arc};

use super::{ErrorNote, shared::Shared};
use crate::{
    clock::Tick,
    hit::{Facts, Field, Outcome, bounded_user},
    user::User,
};

/// A hit in the making. Drafts are used again, so that a request allocates nothing.
#[derive(Default)]
pub(super) struct Draft {
    pub(super) facts: Facts,
    /// As it came: that it is UTF-8 is checked by the writer.
    pub(super) text: Vec<u8>,
    pub(super) course: Course,
    pub(super) shared: Option<Arc<Shared>>,
}

/// How far the request has come.
#[derive(Default)]
pub(super) struct Course {
    pub(super) started: Option<Tick>,
    pub(super) head: Option<Tick>,
    pub(super) declared: Option<u64>,
    pub(super) end: Option<Outcome>,
    /// The method is `HEAD`.
    pub(super) no_body: bool,
    /// The method is `CONNECT`.
    pub(super) connect: bool,
    /// The route is the path that a gRPC client asked for.
    pub(super) grpc_path: bool,
    pub(super) at_head: bool,
    pub(super) skip: bool,
}

/// So many drafts wait on each thread for their next request.
const SPARE_DRAFTS: usize = 256;

thread_local! {
    #[allow(clippy::vec_box, reason = "a guard moves from future to body: one pointer, not the draft")]
    static SPARE: RefCell<Vec<Box<Draft>>> = const { RefCell::new(Vec::new()) };
}

impl Draft {
    /// An empty one.
    pub(super) fn take() -> Box<Self> {
        SPARE.try_with(|spare| spare.borrow_mut().pop()).ok().flatten().unwrap_or_default()
    }

    pub(super) fn put_back(mut self: Box<Self>) {
        self.facts = Facts::default();
        self.text.clear();
        self.course = Course::default();
        // On a thread that is being torn down there is no place for it.
        let _ = SPARE.try_with(|spare| {
            let mut spare = spare.borrow_mut();
            if spare.len() < SPARE_DRAFTS {
                spare.push(self);
            }
        });
    }

    pub(super) fn put(&mut self, field: Field, value: &[u8]) {
        self.facts.put(&mut self.text, field, value);
    }

    pub(super) fn put_error(&mut self, note: &ErrorNote) {
        self.facts.error = true;
        self.put(Field::ErrorKind, note.kind.as_bytes());
        self.put(Field::ErrorMessage, note.message.as_bytes());
    }

    pub(super) fn put_user(&mut self, user: &User) {
        self.put(Field::User, bounded_user(user.id()).as_bytes());
        self.put(Field::UserName, user.name_str().as_bytes());
    }
}
