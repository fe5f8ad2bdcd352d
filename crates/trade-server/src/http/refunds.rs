//! Refunds: as the replaced service's callers ask for them, and under the callers' own numbers.

use axum::{
    Json,
    extract::{Path, RawQuery, Request, State},
    http::{HeaderMap, StatusCode},
    response::Response,
};
use trade_core::{
    ProductOrderNo, ProductRefundNo, Refund, RefundNo, TradingOrderNo,
    port::RefundFilter,
    service::{CreateRefund, MessageCode},
};

use super::{
    App, Problem,
    fields::{Fields, JsonFields, app_id, path_id, read_body, read_page, required},
    idempotency::{self, Content},
    view::{ExecutionResult, HistoryLine, RefundRecord},
};

/// `POST /trade/inner/refund-record/refund?tradingOrderNo=&refundAmount=`, as query or form. While a
/// refund of the trading is running or done, that one is answered.
pub(super) async fn refund(
    State(app): State<App>,
    RawQuery(query): RawQuery,
    request: Request,
) -> Result<Response, Problem> {
    let headers = request.headers().clone();
    let body = read_body(request, &app).await?;
    let fields = Fields::from_query_and_form(query.as_deref(), &headers, &body);
    let number = required(
        "tradingOrderNo",
        fields.id("tradingOrderNo", TradingOrderNo::new)?,
    )?;
    let amount = required("refundAmount", fields.yuan("refundAmount")?)?;
    let content = Content::new("POST refund-record/refund", None)
        .with("tradingOrderNo", &number)
        .with("refundAmount", &amount.get());
    let service = app.service.clone();
    let work = async move {
        let refund = service.refund(number, amount, None).await?;
        Ok(Json(ExecutionResult::from(&refund)))
    };
    idempotency::once(&app, &headers, content, work).await
}

/// `POST /trade/inner/refunds`: a part or all of a trading, under the caller's own number.
pub(super) async fn create(
    State(app): State<App>,
    headers: HeaderMap,
    JsonFields(fields): JsonFields,
) -> Result<Response, Problem> {
    let request = read(&fields)?;
    let content = Content::new("POST refunds", Some(&request.product_app_id))
        .with("productRefundNo", &request.product_refund_no)
        .with("tradingOrderNo", &request.trading_order_no)
        .with("refundAmount", &request.amount.get())
        .with_some("reason", request.reason.as_deref());
    let at_work = app.clone();
    let work = async move {
        let refund = at_work.service.create_refund(&request).await?;
        Ok(Json(view(&at_work, &refund)))
    };
    idempotency::once(&app, &headers, content, work).await
}

fn read(fields: &Fields) -> Result<CreateRefund, Problem> {
    let number = required("productRefundNo", fields.text("productRefundNo")?)?;
    Ok(CreateRefund {
        product_app_id: required("productAppId", app_id(fields)?)?,
        product_refund_no: product_refund_no(number)?,
        trading_order_no: required(
            "tradingOrderNo",
            fields.id("tradingOrderNo", TradingOrderNo::new)?,
        )?,
        amount: required("refundAmount", fields.yuan("refundAmount")?)?,
        reason: fields.text("reason")?.map(ToOwned::to_owned),
    })
}

fn product_refund_no(text: &str) -> Result<ProductRefundNo, Problem> {
    ProductRefundNo::new(text).map_err(|invalid| Problem::field(invalid.what, invalid.rule))
}

/// `GET /trade/inner/refunds/{productRefundNo}?productAppId=`: asks the channel while the refund is running.
pub(super) async fn show_by_product_no(
    State(app): State<App>,
    Path(number): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Json<RefundRecord>, Problem> {
    let number = product_refund_no(&number)?;
    let of_app = required("productAppId", app_id(&Fields::from_query(query.as_deref()))?)?;
    let refund = app.service.query_refund_by_product_no(&of_app, &number).await?;
    Ok(Json(view(&app, &refund)))
}

/// `GET /trade/inner/refunds?tradingOrderNo=&productOrderNo=&productAppId=&stuck=`, highest number first.
/// At least one filter is needed.
pub(super) async fn list(
    State(app): State<App>,
    RawQuery(query): RawQuery,
) -> Result<Json<Vec<RefundRecord>>, Problem> {
    let fields = Fields::from_query(query.as_deref());
    let filter = RefundFilter {
        product_app_id: app_id(&fields)?,
        product_order_no: fields.id("productOrderNo", ProductOrderNo::new)?,
        trading_order_no: fields.id("tradingOrderNo", TradingOrderNo::new)?,
        stuck: fields.flag("stuck")?.unwrap_or(false),
    };
    if filter == RefundFilter::default() {
        let detail = "give tradingOrderNo, productOrderNo or another filter: productAppId, stuck";
        let problem = Problem::new(StatusCode::BAD_REQUEST, detail);
        return Err(problem.with_code(MessageCode::RefundQueryParamError));
    }
    let refunds = app.service.list_refunds(&filter, read_page(&fields)?).await?;
    if refunds.is_empty() {
        let problem = Problem::new(StatusCode::NOT_FOUND, "no refund matches the filter");
        return Err(problem.with_code(MessageCode::RefundNotFound));
    }
    Ok(Json(refunds.iter().map(|refund| view(&app, refund)).collect()))
}

/// `GET /trade/inner/refund-record/{refundNo}`: asks the channel while the refund is running.
pub(super) async fn show(
    State(app): State<App>,
    number: Path<String>,
) -> Result<Json<RefundRecord>, Problem> {
    let number = path_id("refundNo", &number, RefundNo::new)?;
    let refund = app.service.query_refund(number).await?;
    Ok(Json(view(&app, &refund)))
}

/// `GET /trade/inner/refund-record/{refundNo}/history`
pub(super) async fn history(
    State(app): State<App>,
    number: Path<String>,
) -> Result<Json<Vec<HistoryLine>>, Problem> {
    let number = path_id("refundNo", &number, RefundNo::new)?;
    let history = app.service.refund_history(number).await?;
    if history.is_empty() {
        let problem = Problem::new(StatusCode::NOT_FOUND, format!("there is no refund {number}"));
        return Err(problem.with_code(MessageCode::RefundNotFound));
    }
    Ok(Json(history.iter().map(HistoryLine::from).collect()))
}

/// The answer for one refund.
pub(super) fn view(app: &App, refund: &Refund) -> RefundRecord {
    RefundRecord::new(refund, app.service.ports().clock.now())
}
