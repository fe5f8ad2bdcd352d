//! Running a job from outside, for a scheduler such as XXL-JOB.

use axum::{
    Json,
    extract::{Path, RawQuery, State},
    http::StatusCode,
};
use serde::Serialize;
use trade_core::{job::Report, port::Shard};

use super::{App, Problem, fields::Fields, native, request};
use crate::jobs::Job;

/// Without a count, a tick does as much as the clockwork's own.
const MOST: u32 = 1000;

/// What a tick did.
#[derive(Debug, Serialize)]
pub(super) struct Ticked {
    due: u32,
    changed: u32,
    taken: u32,
    failed: u32,
}

impl From<Report> for Ticked {
    fn from(report: Report) -> Self {
        Self {
            due: report.due,
            changed: report.changed,
            taken: report.taken,
            failed: report.failed,
        }
    }
}

/// `POST /trade/admin/jobs/{job}?shardIndex=&shardTotal=&count=`: one tick over the rows of a part.
pub(super) async fn run(
    State(app): State<App>,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Json<Ticked>, Problem> {
    let Some(job) = Job::by_name(&name) else {
        let names: Vec<_> = Job::ALL.iter().map(|job| job.name()).collect();
        let detail = format!("there is no job of that name: there are {}", names.join(", "));
        return Err(Problem::new(StatusCode::NOT_FOUND, detail));
    };
    let fields = Fields::from_query(query.as_deref());
    let shard = shard(&fields)?;
    let count = match fields.named::<u32>("count")? {
        Some(0) => return Err(Problem::field("count", "must be greater than zero")),
        count => count.unwrap_or(app.jobs.batch()).min(MOST),
    };
    // A scheduler that hangs up in the middle of a tick leaves nothing claimed, and the tick is counted.
    let jobs = app.jobs.clone();
    let ticked = request::spawn(&app, async move { jobs.tick(job, count, shard).await }).await;
    let report = ticked.map_err(|_| native::interrupted())??;
    Ok(Json(report.into()))
}

fn shard(fields: &Fields) -> Result<Shard, Problem> {
    let index = fields.named::<u32>("shardIndex")?;
    let total = fields.named::<u32>("shardTotal")?;
    match (index, total) {
        (None, None) => Ok(Shard::ALL),
        (Some(index), Some(total)) => Shard::new(index, total)
            .ok_or_else(|| Problem::field("shardIndex", "must be below shardTotal, counted from 0")),
        (None, Some(_)) => Err(Problem::field("shardIndex", "is missing beside shardTotal")),
        (Some(_), None) => Err(Problem::field("shardTotal", "is missing beside shardIndex")),
    }
}
