//! Creating a payment by QR code, and showing the code again.

use axum::{
    Json,
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use trade_core::{
    EnterpriseId, ProductOrderNo, Trading, TradingOrderNo, TradingState,
    service::{CreateTrading, MessageCode},
};

use super::{
    App, Problem,
    fields::{Fields, JsonFields, app_id, channel, path_id, required},
    idempotency::{self, Content},
    view::NativePayRes,
};
use crate::qr;

/// `POST /trade/inner/native`
pub(super) async fn create(
    State(app): State<App>,
    headers: HeaderMap,
    JsonFields(fields): JsonFields,
) -> Result<Response, Problem> {
    let request = read(&fields)?;
    let content = content(&request);
    let at_work = app.clone();
    let work = async move {
        let trading = at_work.service.create(&request).await?;
        Ok(Json(show(&at_work, &trading)?))
    };
    idempotency::once(&app, &headers, content, work).await
}

fn content(request: &CreateTrading) -> Content {
    Content::new("POST native", Some(&request.product_app_id))
        .with("enterpriseId", &request.enterprise_id)
        .with("productOrderNo", &request.product_order_no)
        .with("tradingChannel", &request.channel)
        .with("tradingAmount", &request.amount.get())
        .with("memo", &request.memo)
        .with("changeChannel", &request.change_channel)
        .with_some(
            "expiresAt",
            request.expires_at.map(|at| at.ms().to_string()).as_deref(),
        )
}

fn show(app: &App, trading: &Trading) -> Result<NativePayRes, Problem> {
    let code_url = live_code(trading)?;
    Ok(NativePayRes {
        qr_code: draw(app, trading, code_url)?,
        code_url: code_url.to_owned(),
        product_order_no: trading.product_order_no.to_string(),
        trading_order_no: trading.trading_order_no.to_string(),
        trading_channel: trading.channel.code(),
        expires_at: trading.expires_at.to_beijing_text(),
    })
}

fn read(fields: &Fields) -> Result<CreateTrading, Problem> {
    Ok(CreateTrading {
        enterprise_id: required("enterpriseId", fields.id("enterpriseId", EnterpriseId::new)?)?,
        product_app_id: required("productAppId", app_id(fields)?)?,
        product_order_no: required(
            "productOrderNo",
            fields.id("productOrderNo", ProductOrderNo::new)?,
        )?,
        channel: required("tradingChannel", channel(fields)?)?,
        amount: required("tradingAmount", fields.yuan("tradingAmount")?)?,
        memo: required("memo", fields.text("memo")?)?.to_owned(),
        change_channel: fields.flag("changeChannel")?.unwrap_or(false),
        expires_at: fields.beijing_time("expiresAt")?,
    })
}

/// `GET /trade/inner/native/qrcode/{tradingOrderNo}`: the PNG as a data URL, as plain text.
pub(super) async fn qr_code(State(app): State<App>, number: Path<String>) -> Result<String, Problem> {
    let trading = load(&app, &number).await?;
    draw(&app, &trading, live_code(&trading)?)
}

/// `GET /trade/inner/tradings/{tradingOrderNo}/qr.svg`
pub(super) async fn qr_svg(State(app): State<App>, number: Path<String>) -> Result<Response, Problem> {
    let trading = load(&app, &number).await?;
    let document =
        qr::svg(live_code(&trading)?, trading.channel, &app.qr).map_err(|error| undrawable(&error))?;
    Ok(([(header::CONTENT_TYPE, "image/svg+xml")], document).into_response())
}

async fn load(app: &App, number: &Path<String>) -> Result<Trading, Problem> {
    let trading_order_no = path_id("tradingOrderNo", number, TradingOrderNo::new)?;
    Ok(app.service.trading(trading_order_no).await?)
}

fn live_code(trading: &Trading) -> Result<&str, Problem> {
    trading.live_code().ok_or_else(|| {
        let code = match trading.state {
            TradingState::Settled => MessageCode::TradingStateSucceed,
            TradingState::Paying(_)
            | TradingState::Failed
            | TradingState::Cancelled
            | TradingState::Free
            | TradingState::OnAccount => MessageCode::NativeQrcodeFail,
        };
        let (number, state) = (trading.trading_order_no, trading.state);
        Problem::new(
            StatusCode::CONFLICT,
            format!("trading {number} has no code to pay: it is {state}"),
        )
        .with_code(code)
    })
}

/// The code as a data URL.
pub(super) fn draw(app: &App, trading: &Trading, code_url: &str) -> Result<String, Problem> {
    qr::png_data_url(code_url, trading.channel, &app.qr).map_err(|error| undrawable(&error))
}

fn undrawable(error: &qr::DrawError) -> Problem {
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string())
        .with_code(MessageCode::NativeQrcodeFail)
}

/// The task of a request was ended, which only a shutdown or a fault of ours does.
pub(super) fn interrupted() -> Problem {
    Problem::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "the work was interrupted: nothing is lost, send the same request again",
    )
    .with_code(MessageCode::SaveOrUpdateFail)
}
