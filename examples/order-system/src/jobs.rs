//! What runs by the clock. Each tick is bounded, one row's trouble does not stop the next, and a row that
//! fails waits longer each time, so that it does not stand in the way of others.

use tokio::{sync::watch, task::JoinSet};

use crate::{
    cancel_rule::CLAIM_PERIOD,
    error::OrderError,
    service::{Orders, cancel::NOT_TAKEN, refund::wait_after},
    status::Event,
    store::{orders::By, read::Due, table::Order},
};

/// The most rows of one tick, as on the platform.
const BATCH: u64 = 100;

/// Starts the jobs; they end when `stop` turns true.
pub(crate) fn start(orders: &Orders, stop: &watch::Receiver<bool>, tasks: &mut JoinSet<()>) {
    for job in [Job::TimeOut, Job::Refund, Job::NotTaken, Job::Evaluate] {
        tasks.spawn(run(orders.clone(), job, stop.clone()));
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Job {
    /// Unpaid for too long: 600.
    TimeOut,
    /// Money that has to go back.
    Refund,
    /// Paid, and nobody took it before its time: 700.
    NotTaken,
    /// Nobody said how it was: 500.
    Evaluate,
}

async fn run(orders: Orders, job: Job, mut stop: watch::Receiver<bool>) {
    loop {
        if let Err(error) = tick(&orders, job).await {
            tracing::error!(?job, %error, "a job's tick failed");
        }
        let wait = tokio::time::sleep(orders.settings.job_interval);
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => return,
            () = wait => {}
        }
    }
}

async fn tick(orders: &Orders, job: Job) -> Result<(), OrderError> {
    let now = orders.now();
    if job == Job::Refund {
        for owed in orders.store.due_refunds(now, BATCH).await? {
            if let Err(error) = orders.refund(&owed).await {
                tracing::warn!(order = owed.id, %error, "a refund is not done yet");
            }
        }
        return Ok(());
    }
    let due = match job {
        Job::TimeOut | Job::Refund => Due::Unpaid,
        Job::NotTaken => Due::NotTaken,
        Job::Evaluate => Due::NotEvaluated {
            ended_before: now.minus(CLAIM_PERIOD),
        },
    };
    for order in orders.store.due(due, now, BATCH).await? {
        let until = now.plus(wait_after(order.checks));
        if !orders.store.claim(&order, until).await? {
            continue;
        }
        if let Err(error) = end(orders, job, &order).await {
            tracing::warn!(order = order.id, ?job, %error, "an order is not ended yet");
        }
    }
    Ok(())
}

async fn end(orders: &Orders, job: Job, order: &Order) -> Result<(), OrderError> {
    match job {
        Job::TimeOut | Job::Refund => orders.time_out(order).await,
        Job::NotTaken => {
            let by = By::system(NOT_TAKEN);
            orders.cancel(order.id, &by, "系统").await.map(drop)
        }
        Job::Evaluate => {
            let by = By::system("15天未评价,自动完成");
            orders.step(order.id, Event::Evaluate, &by).await.map(drop)
        }
    }
}
