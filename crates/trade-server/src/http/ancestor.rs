//! The query routes of the service's ancestor, for callers that still use them.

use axum::{
    Json,
    extract::{Path, RawQuery, State},
    http::StatusCode,
};
use trade_core::{
    ProductOrderNo, Refund, RefundNo, TradingOrderNo,
    port::{Page, TradingFilter},
    service::MessageCode,
};

use super::{
    App, Problem,
    fields::{Fields, path_id},
    refunds, tradings,
    view::{RefundRecord, TradingRes},
};

/// The most tradings of one order whose refunds are listed.
const MAX_TRADINGS: u32 = 200;

/// `POST /trade/inner/basic/query/{tradingOrderNo}`: asks the channel while the trading is pending.
pub(super) async fn query(State(app): State<App>, number: Path<String>) -> Result<Json<TradingRes>, Problem> {
    let number = path_id("tradingOrderNo", &number, TradingOrderNo::new)?;
    let trading = app.service.query(number).await?;
    Ok(Json(tradings::view(&app, &trading)?))
}

/// `POST /trade/inner/basic/refund/{refundNo}`: asks the channel while the refund is running.
pub(super) async fn query_refund(
    State(app): State<App>,
    number: Path<String>,
) -> Result<Json<RefundRecord>, Problem> {
    let number = path_id("refundNo", &number, RefundNo::new)?;
    let refund = app.service.query_refund(number).await?;
    Ok(Json(refunds::view(&app, &refund)))
}

/// `GET /trade/inner/refund/records?productOrderNo=&tradingOrderNo=`
pub(super) async fn refund_records(
    State(app): State<App>,
    RawQuery(query): RawQuery,
) -> Result<Json<Vec<RefundRecord>>, Problem> {
    let fields = Fields::from_query(query.as_deref());
    let trading = fields.id("tradingOrderNo", TradingOrderNo::new)?;
    let order = fields.id("productOrderNo", ProductOrderNo::new)?;
    let found = match (trading, order) {
        (Some(number), _) => app.service.refunds_of(number).await?,
        (None, Some(order)) => refunds_of_order(&app, order).await?,
        (None, None) => {
            let detail = "give tradingOrderNo or productOrderNo";
            let problem = Problem::new(StatusCode::BAD_REQUEST, detail);
            return Err(problem.with_code(MessageCode::RefundQueryParamError));
        }
    };
    if found.is_empty() {
        let problem = Problem::new(StatusCode::NOT_FOUND, "there is no such refund");
        return Err(problem.with_code(MessageCode::RefundNotFound));
    }
    Ok(Json(
        found.iter().map(|refund| refunds::view(&app, refund)).collect(),
    ))
}

async fn refunds_of_order(app: &App, order: ProductOrderNo) -> Result<Vec<Refund>, Problem> {
    let filter = TradingFilter {
        product_order_no: Some(order),
        ..TradingFilter::default()
    };
    let page = Page {
        before: None,
        limit: MAX_TRADINGS,
    };
    let mut refunds = Vec::new();
    for trading in app.service.list(&filter, page).await? {
        refunds.extend(app.service.refunds_of(trading.trading_order_no).await?);
    }
    Ok(refunds)
}
