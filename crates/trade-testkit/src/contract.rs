//! Contract suites: what an implementation of a port has to keep, one function a promise.

pub mod clock;
pub mod ids;
pub mod lock;
pub mod sink;
pub mod store;

use std::{any::Any, future::Future, pin::Pin, time::Duration};

/// No promise takes longer than this, be the machine ever so busy.
const LIMIT: Duration = Duration::from_secs(120);

/// One promise: a name, and a check that panics when an implementation breaks it.
pub struct Promise<T> {
    name: &'static str,
    check: Check<T>,
}

type Check<T> = Box<dyn Fn(T) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync>;

impl<T> Promise<T> {
    /// The promise that `check` checks, under the function's own name.
    pub fn new<F, Fut>(check: F) -> Self
    where
        F: Fn(T) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        Self {
            name: std::any::type_name::<F>(),
            check: Box::new(move |subject| Box::pin(check(subject))),
        }
    }

    /// The path of the function that checks it.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Checks it in a task of its own; the message of the panic when it is broken.
    ///
    /// # Errors
    /// It is broken, or took longer than two minutes.
    pub async fn check(&self, subject: T) -> Result<(), String> {
        let task = tokio::spawn((self.check)(subject));
        let abort = task.abort_handle();
        match tokio::time::timeout(LIMIT, task).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(error
                .try_into_panic()
                .map_or_else(|error| error.to_string(), |payload| words(payload.as_ref()))),
            Err(_) => {
                abort.abort();
                Err(format!("not done after {LIMIT:?}"))
            }
        }
    }
}

impl<T> std::fmt::Debug for Promise<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Promise").field(&self.name).finish()
    }
}

/// Checks every promise on a fresh subject each, and panics with all that are broken.
///
/// # Panics
/// At least one promise is broken.
pub async fn check_all<T, F, Fut>(promises: Vec<Promise<T>>, fresh: F)
where
    F: Fn() -> Fut,
    Fut: Future<Output = T>,
{
    let count = promises.len();
    let mut broken = Vec::new();
    for promise in promises {
        if let Err(why) = promise.check(fresh().await).await {
            broken.push(format!("{}: {why}", promise.name()));
        }
    }
    assert!(
        broken.is_empty(),
        "{} of {count} promises broken:\n{}",
        broken.len(),
        broken.join("\n")
    );
}

fn words(payload: &(dyn Any + Send)) -> String {
    payload
        .downcast_ref::<String>()
        .cloned()
        .or_else(|| payload.downcast_ref::<&str>().map(ToString::to_string))
        .unwrap_or_else(|| "a panic without words".into())
}
