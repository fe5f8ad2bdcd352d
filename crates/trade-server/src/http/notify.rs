//! The public routes the channels call.

use axum::{
    body::Body,
    extract::{Path, Request, State},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use trade_core::{
    Channel, EnterpriseId,
    handler::{Acknowledgement, Headers, RawNotice},
    service::{NotTaken, NoticeOutcome},
};

use super::{
    App, Problem,
    fields::{path_id, read_body},
    native, request,
};

/// `POST /trade/open/notify/wx/{enterpriseId}`
pub(super) async fn wechat(
    State(app): State<App>,
    number: Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    take(app, Channel::WechatPay, number, request).await
}

/// `POST /trade/open/notify/alipay/{enterpriseId}`
pub(super) async fn alipay(
    State(app): State<App>,
    number: Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    take(app, Channel::AliPay, number, request).await
}

async fn take(
    app: App,
    channel: Channel,
    number: Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    let refused = |reason| app.metrics.notice_refused(channel, reason);
    let enterprise =
        path_id("enterpriseId", &number, EnterpriseId::new).inspect_err(|_| refused("no_merchant"))?;
    let headers = request.headers().iter().map(|(name, value)| {
        // A value that is no text becomes one that verifies nothing, rather than an absent header.
        (
            name.to_string(),
            String::from_utf8_lossy(value.as_bytes()).into_owned(),
        )
    });
    let headers = Headers::new(headers);
    let body = read_body(request, &app)
        .await
        .inspect_err(|_| refused("unreadable"))?;
    let body = body.to_vec();
    let notice = RawNotice { headers, body };
    let service = app.notices.clone();
    let taken = request::spawn(
        &app,
        async move { service.notice(enterprise, channel, &notice).await },
    )
    .await;
    let answer = taken.map_err(|_| native::interrupted())?;
    let answer = answer.inspect_err(|_| refused("no_merchant"))?;
    app.metrics.notice(channel, &answer.outcome);
    match &answer.outcome {
        NoticeOutcome::Taken => {}
        NoticeOutcome::Refused(NotTaken { reason, why }) => {
            tracing::warn!(channel = channel.code(), reason, why, "notice refused");
        }
        NoticeOutcome::Later(NotTaken { reason, why }) => {
            tracing::warn!(channel = channel.code(), reason, why, "notice put off");
        }
    }
    Ok(respond(answer.acknowledgement))
}

/// Exactly what the adapter says: no envelope, no extra newline.
fn respond(acknowledgement: Acknowledgement) -> Response {
    let status = StatusCode::from_u16(acknowledgement.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = (status, Body::from(acknowledgement.body)).into_response();
    if let Some(content_type) = acknowledgement.content_type {
        response
            .headers_mut()
            .insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    }
    response
}
