use std::sync::Arc;

use tokio::sync::Semaphore;

use crate::error::{Error, ErrorKind};

/// How many passwords are hashed at once, so that a flood of sign-ins takes neither the memory (19 MiB each) nor the
/// threads of the service.
#[derive(Clone, Debug)]
pub(crate) struct HashBudget {
    /// Those that run and those that wait.
    places: Arc<Semaphore>,
    permits: Arc<Semaphore>,
}

const PERMITS: usize = 2;
const QUEUE: usize = 16;

impl Default for HashBudget {
    /// Two at once, sixteen wait.
    fn default() -> Self {
        Self::new(PERMITS, QUEUE)
    }
}

impl HashBudget {
    pub(crate) fn new(permits: usize, queue: usize) -> Self {
        Self { places: Arc::new(Semaphore::new(permits + queue)), permits: Arc::new(Semaphore::new(permits)) }
    }

    /// Runs the work on a thread for blocking, when it is its turn.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Full`] if too many wait already: the answer is 503. Work that has begun goes on, and keeps its
    /// place, when nobody waits for it any more: clients that hang up gain nothing.
    pub(crate) async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Error> {
        let full = || Error::new(ErrorKind::Full, "too many people sign in at this moment: try again in some seconds");
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| full())?;
        let permit = Arc::clone(&self.permits).acquire_owned().await.map_err(|_| full())?;
        let run = move || {
            let _held = (place, permit);
            work()
        };
        let done = tokio::task::spawn_blocking(run).await;
        done.map_err(|error| Error::new(ErrorKind::Storage, "hashing a password failed").with_source(error))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        atomic::{AtomicUsize, Ordering},
        mpsc,
    };

    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn two_hundred_sign_ins_never_hash_more_than_two_at_once() {
        let budget = HashBudget::new(2, 200);
        let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let tasks: Vec<_> = (0..200)
            .map(|_| {
                let (budget, running, most) = (budget.clone(), Arc::clone(&running), Arc::clone(&most));
                tokio::spawn(async move {
                    let work = move || {
                        most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                        std::thread::yield_now();
                        running.fetch_sub(1, Ordering::SeqCst);
                    };
                    budget.run(work).await.unwrap();
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        assert!((1..=2).contains(&most.load(Ordering::SeqCst)));
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn whoever_finds_the_queue_full_is_told_at_once_and_the_others_get_their_turn() {
        let budget = HashBudget::new(1, 2);
        let (go, wait) = mpsc::channel::<()>();
        let first = tokio::spawn({
            let budget = budget.clone();
            async move { budget.run(move || wait.recv()).await }
        });
        while budget.permits.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        let queued = [1, 2].map(|n| {
            let budget = budget.clone();
            tokio::spawn(async move { budget.run(move || n).await })
        });
        while budget.places.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        assert_eq!(budget.run(|| ()).await.unwrap_err().kind(), ErrorKind::Full);
        go.send(()).unwrap();
        first.await.unwrap().unwrap().unwrap();
        for (n, task) in (1..).zip(queued) {
            assert_eq!(task.await.unwrap().unwrap(), n);
        }
        budget.run(|| ()).await.unwrap();
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_hash_that_nobody_waits_for_keeps_its_permit_until_it_is_done() {
        let budget = HashBudget::new(1, 0);
        let (go, wait) = mpsc::channel::<()>();
        let (begun, has_begun) = mpsc::channel();
        let task = tokio::spawn({
            let budget = budget.clone();
            let work = move || {
                begun.send(()).unwrap();
                wait.recv()
            };
            async move { budget.run(work).await }
        });
        tokio::task::spawn_blocking(move || has_begun.recv()).await.unwrap().unwrap();
        task.abort();
        assert!(task.await.unwrap_err().is_cancelled());
        assert_eq!(budget.run(|| ()).await.unwrap_err().kind(), ErrorKind::Full);
        go.send(()).unwrap();
        while budget.run(|| ()).await.is_err() {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn work_that_panics_is_an_error_and_gives_its_place_back() {
        let budget = HashBudget::new(1, 0);
        for _ in 0..3 {
            let error = budget.run(|| -> () { std::panic::resume_unwind(Box::new("hashing")) }).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Storage);
        }
        budget.run(|| ()).await.unwrap();
    }
}
