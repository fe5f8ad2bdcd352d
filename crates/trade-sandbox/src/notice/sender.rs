//! Delivers notices: the clockwork and one delivery.

use std::{sync::Arc, time::Duration};

use reqwest::Client;
use tokio::task::JoinSet;

use super::{Attempt, Notice, NoticeContent, Rendered};
use crate::{
    Channel, alipay,
    faults::{FaultKind, Plan},
    wechat,
    world::World,
};

/// The longest sleep between two looks at the clock.
const LOOK: Duration = Duration::from_secs(1);
const ANSWER_CHARS: usize = 200;

/// Sends what is due until the task is dropped.
pub(crate) async fn run(world: Arc<World>, client: Client) {
    loop {
        world.catch_up();
        let now_ms = world.clock.now_ms();
        for notice in world.notices.take_due(now_ms) {
            let world = Arc::clone(&world);
            let client = client.clone();
            tokio::spawn(deliver(world, client, Arc::new(notice)));
        }
        tokio::select! {
            () = world.woken() => {}
            () = tokio::time::sleep(next_look(&world)) => {}
        }
    }
}

fn next_look(world: &World) -> Duration {
    if world.clock.is_frozen() {
        return LOOK;
    }
    let settles_ms = world.ledger.read(crate::ledger::Book::next_due_ms);
    let next_ms = world.notices.next_due_ms().into_iter().chain(settles_ms).min();
    let wait_ms = next_ms.map(|next_ms| next_ms.saturating_sub(world.clock.now_ms()));
    let wait = wait_ms.map(|wait_ms| Duration::from_millis(u64::try_from(wait_ms).unwrap_or(0)));
    wait.map_or(LOOK, |wait| wait.clamp(Duration::from_millis(1), LOOK))
}

/// One attempt, with the copies and troubles that faults order. Copies arrive at the same time.
async fn deliver(world: Arc<World>, client: Client, notice: Arc<Notice>) {
    let plan = world.faults.plan(notice.channel, notice.kind.operation());
    if let Some(delay_ms) = plan.delay_ms {
        tokio::time::sleep(Duration::from_millis(u64::from(delay_ms))).await;
    }
    let mut attempts = if plan.outcome == Some(FaultKind::DropBefore) {
        vec![failed(&world, "not sent: a fault dropped it")]
    } else {
        let mut copies = JoinSet::new();
        for _ in 0..=plan.copies {
            let (world, client) = (Arc::clone(&world), client.clone());
            let (notice, plan) = (Arc::clone(&notice), plan.clone());
            copies.spawn(async move { attempt(&world, &client, &notice, &plan).await });
        }
        copies.join_all().await
    };
    if plan.outcome == Some(FaultKind::DropAfter) {
        for attempt in &mut attempts {
            attempt.acknowledged = false;
            attempt.answer = format!("ignored, a fault dropped it: {}", attempt.answer);
        }
    }
    let speed = world.config.notice_speed;
    world.notices.record(&notice.id, attempts, speed);
    world.wake();
}

async fn attempt(world: &World, client: &Client, notice: &Notice, plan: &Plan) -> Attempt {
    let at_ms = world.clock.now_ms();
    let Rendered { headers, body } = match &notice.content {
        NoticeContent::Wechat(event) => wechat::notice::render(world, event, plan),
        NoticeContent::Alipay(params) => alipay::notice::render(world, params, plan),
    };
    let request = headers
        .into_iter()
        .fold(client.post(&notice.url), |request, (name, value)| {
            request.header(name, value)
        });
    match request.body(body).send().await {
        Ok(response) => {
            let status = response.status().as_u16();
            let text = response.text().await.unwrap_or_default();
            Attempt {
                at_ms,
                status: Some(status),
                acknowledged: match notice.channel {
                    Channel::Wechat => matches!(status, 200 | 204),
                    Channel::Alipay => status == 200 && text == "success",
                },
                answer: text.chars().take(ANSWER_CHARS).collect(),
            }
        }
        Err(error) => failed(world, &reason(&error)),
    }
}

fn failed(world: &World, answer: &str) -> Attempt {
    Attempt {
        at_ms: world.clock.now_ms(),
        status: None,
        answer: answer.to_owned(),
        acknowledged: false,
    }
}

/// The error and its causes in one line.
fn reason(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}
