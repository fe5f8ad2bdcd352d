//! Looking at tradings, and closing them.

use axum::{
    Json,
    extract::{Path, RawQuery, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use trade_core::{
    EnterpriseId, ProductOrderNo, Trading, TradingOrderNo, TradingState,
    port::TradingFilter,
    service::{MessageCode, TradeError},
};

use super::{
    App, Problem,
    fields::{Fields, app_id, channel, path_id, read_page, required},
    native, request,
    view::{HistoryLine, TimelineLine, TradingRes},
};
use crate::timeline;

/// `GET /trade/inner/tradings/findTradResultByTradingOrderNo?tradingOrderNo=`: asks the channel while
/// the trading is pending. An unknown number is an empty answer, as the callers expect.
pub(super) async fn find_result(
    State(app): State<App>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let fields = Fields::from_query(query.as_deref());
    let number = required(
        "tradingOrderNo",
        fields.id("tradingOrderNo", TradingOrderNo::new)?,
    )?;
    match app.service.query(number).await {
        Ok(trading) => Ok(Json(view(&app, &trading)?).into_response()),
        Err(TradeError::TradingNotFound(_)) => Ok(StatusCode::OK.into_response()),
        Err(error) => Err(error.into()),
    }
}

/// `GET /trade/inner/tradings/{tradingOrderNo}`: as the table has it.
pub(super) async fn show(State(app): State<App>, number: Path<String>) -> Result<Json<TradingRes>, Problem> {
    let number = path_id("tradingOrderNo", &number, TradingOrderNo::new)?;
    let trading = app.service.trading(number).await?;
    Ok(Json(view(&app, &trading)?))
}

/// `GET /trade/inner/tradings/{tradingOrderNo}/history`
pub(super) async fn history(
    State(app): State<App>,
    number: Path<String>,
) -> Result<Json<Vec<HistoryLine>>, Problem> {
    let number = path_id("tradingOrderNo", &number, TradingOrderNo::new)?;
    app.service.trading(number).await?;
    Ok(Json(
        app.service
            .history(number)
            .await?
            .iter()
            .map(HistoryLine::from)
            .collect(),
    ))
}

/// `GET /trade/inner/tradings/{tradingOrderNo}/timeline`: calls, notices, transitions, refunds and events
/// in one list.
pub(super) async fn timeline(
    State(app): State<App>,
    number: Path<String>,
) -> Result<Json<Vec<TimelineLine>>, Problem> {
    let number = path_id("tradingOrderNo", &number, TradingOrderNo::new)?;
    let trading = app.service.trading(number).await?;
    let moments = timeline::of(&*app.service.ports().store, &trading).await;
    let moments = moments.map_err(TradeError::from)?;
    Ok(Json(moments.into_iter().map(TimelineLine::from).collect()))
}

/// `POST /trade/inner/tradings/{tradingOrderNo}/close`
pub(super) async fn close(State(app): State<App>, number: Path<String>) -> Result<Json<TradingRes>, Problem> {
    let number = path_id("tradingOrderNo", &number, TradingOrderNo::new)?;
    let service = app.service.clone();
    let closed = request::spawn(&app, async move { service.close(number).await }).await;
    let trading = closed.map_err(|_| native::interrupted())??;
    Ok(Json(view(&app, &trading)?))
}

/// `GET /trade/inner/tradings?productOrderNo=&tradingOrderNo=` and more filters; newest first. At
/// least one filter is needed; a trading number wins over all others.
pub(super) async fn list(
    State(app): State<App>,
    RawQuery(query): RawQuery,
) -> Result<Json<Vec<TradingRes>>, Problem> {
    let fields = Fields::from_query(query.as_deref());
    if let Some(number) = fields.id("tradingOrderNo", TradingOrderNo::new)? {
        let trading = app.service.trading(number).await?;
        return Ok(Json(vec![view(&app, &trading)?]));
    }
    let filter = read_filter(&fields)?;
    if filter == TradingFilter::default() {
        let detail = "give tradingOrderNo, productOrderNo or another filter: \
                      productAppId, enterpriseId, tradingChannel, tradingState, stuck";
        return Err(
            Problem::new(StatusCode::BAD_REQUEST, detail).with_code(MessageCode::TradingQueryParamError)
        );
    }
    let tradings = app.service.list(&filter, read_page(&fields)?).await?;
    if tradings.is_empty() {
        let detail = "no trading matches the filter";
        return Err(Problem::new(StatusCode::NOT_FOUND, detail).with_code(MessageCode::NotFound));
    }
    // Codes are drawn one by one where they are shown, not by the hundred.
    Ok(Json(
        tradings
            .iter()
            .map(|trading| TradingRes::new(trading, None))
            .collect(),
    ))
}

fn read_filter(fields: &Fields) -> Result<TradingFilter, Problem> {
    Ok(TradingFilter {
        product_app_id: app_id(fields)?,
        product_order_no: fields.id("productOrderNo", ProductOrderNo::new)?,
        enterprise_id: fields.id("enterpriseId", EnterpriseId::new)?,
        channel: channel(fields)?,
        state: fields.long("tradingState")?.map(state_of).transpose()?,
        stuck: fields.flag("stuck")?.unwrap_or(false),
    })
}

fn state_of(code: i64) -> Result<TradingState, Problem> {
    let state = TradingState::ALL
        .into_iter()
        .find(|state| i64::from(state.code()) == code);
    state.ok_or_else(|| Problem::field("tradingState", "must be a code from 2 to 7"))
}

/// The answer for one trading, with its code drawn while it can be paid.
pub(super) fn view(app: &App, trading: &Trading) -> Result<TradingRes, Problem> {
    let qr_code = trading
        .live_code()
        .map(|code_url| native::draw(app, trading, code_url))
        .transpose()?;
    Ok(TradingRes::new(trading, qr_code))
}
