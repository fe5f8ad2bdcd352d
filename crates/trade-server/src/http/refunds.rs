//! Refunds, as the replaced service's callers ask for them.

use axum::{
    Json,
    extract::{Path, RawQuery, Request, State},
};
use trade_core::{RefundNo, TradingOrderNo};

use super::{
    App, Problem,
    fields::{Fields, path_id, read_body, required},
    native,
    view::{ExecutionResult, RefundRecord},
};

/// `POST /trade/inner/refund-record/refund?tradingOrderNo=&refundAmount=`, as query or form. While a
/// refund of the trading is running or done, that one is answered.
pub(super) async fn refund(
    State(app): State<App>,
    RawQuery(query): RawQuery,
    request: Request,
) -> Result<Json<ExecutionResult>, Problem> {
    let headers = request.headers().clone();
    let body = read_body(request, &app).await?;
    let fields = Fields::from_query_and_form(query.as_deref(), &headers, &body);
    let number = required(
        "tradingOrderNo",
        fields.id("tradingOrderNo", TradingOrderNo::new)?,
    )?;
    let amount = required("refundAmount", fields.yuan("refundAmount")?)?;
    let service = app.service.clone();
    let refunded = tokio::spawn(async move { service.refund(number, amount, None).await }).await;
    let refund = refunded.map_err(|_| native::interrupted())??;
    Ok(Json(ExecutionResult::from(&refund)))
}

/// `GET /trade/inner/refund-record/{refundNo}`: asks the channel while the refund is running.
pub(super) async fn show(
    State(app): State<App>,
    number: Path<String>,
) -> Result<Json<RefundRecord>, Problem> {
    let number = path_id("refundNo", &number, RefundNo::new)?;
    Ok(Json(RefundRecord::from(&app.service.query_refund(number).await?)))
}
