//! Which operation a request asks for.

use axum::http::Method;
use percent_encoding::percent_decode_str;

/// An operation of the API, with the numbers from its path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Route {
    Prepay(TradeType),
    QueryByTransaction(String),
    QueryByNumber(String),
    Close(String),
    Refund,
    QueryRefund(String),
    AbnormalRefund(String),
    Certificates,
    TradeBill,
    FundFlowBill,
    DownloadBill,
}

/// How the user is brought to pay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TradeType {
    Native,
    Jsapi,
    App,
    H5,
}

impl TradeType {
    /// The `trade_type` of a transaction.
    pub(super) fn code(self) -> &'static str {
        match self {
            Self::Native => "NATIVE",
            Self::Jsapi => "JSAPI",
            Self::App => "APP",
            Self::H5 => "MWEB",
        }
    }
}

impl Route {
    /// Finds the operation; `None` when WeChat Pay has no such address.
    pub(super) fn of(method: &Method, path: &str) -> Option<Self> {
        let decoded: Option<Vec<String>> = path.split('/').skip(1).map(decode).collect();
        let decoded = decoded?;
        let segments: Vec<&str> = decoded.iter().map(String::as_str).collect();
        let get = method == Method::GET;
        let post = method == Method::POST;
        match *segments.as_slice() {
            ["v3", "pay", "transactions", "native"] if post => Some(Self::Prepay(TradeType::Native)),
            ["v3", "pay", "transactions", "jsapi"] if post => Some(Self::Prepay(TradeType::Jsapi)),
            ["v3", "pay", "transactions", "app"] if post => Some(Self::Prepay(TradeType::App)),
            ["v3", "pay", "transactions", "h5"] if post => Some(Self::Prepay(TradeType::H5)),
            ["v3", "pay", "transactions", "id", id] if get => Some(Self::QueryByTransaction(id.to_owned())),
            ["v3", "pay", "transactions", "out-trade-no", no] if get => {
                Some(Self::QueryByNumber(no.to_owned()))
            }
            ["v3", "pay", "transactions", "out-trade-no", no, "close"] if post => {
                Some(Self::Close(no.to_owned()))
            }
            ["v3", "refund", "domestic", "refunds"] if post => Some(Self::Refund),
            ["v3", "refund", "domestic", "refunds", no] if get => Some(Self::QueryRefund(no.to_owned())),
            ["v3", "refund", "domestic", "refunds", id, "apply-abnormal-refund"] if post => {
                Some(Self::AbnormalRefund(id.to_owned()))
            }
            ["v3", "certificates"] if get => Some(Self::Certificates),
            ["v3", "bill", "tradebill"] if get => Some(Self::TradeBill),
            ["v3", "bill", "fundflowbill"] if get => Some(Self::FundFlowBill),
            ["v3", "billdownload", "file"] if get => Some(Self::DownloadBill),
            _ => None,
        }
    }

    /// The name in fault rules.
    pub(super) fn operation(&self) -> &'static str {
        match self {
            Self::Prepay(TradeType::Native) => "native",
            Self::Prepay(TradeType::Jsapi) => "jsapi",
            Self::Prepay(TradeType::App) => "app",
            Self::Prepay(TradeType::H5) => "h5",
            Self::QueryByTransaction(_) | Self::QueryByNumber(_) => "query",
            Self::Close(_) => "close",
            Self::Refund => "refund",
            Self::QueryRefund(_) => "refund_query",
            Self::AbnormalRefund(_) => "abnormal_refund",
            Self::Certificates => "certificates",
            Self::TradeBill => "tradebill",
            Self::FundFlowBill => "fundflowbill",
            Self::DownloadBill => "billdownload",
        }
    }
}

fn decode(segment: &str) -> Option<String> {
    let decoded = percent_decode_str(segment).decode_utf8().ok()?;
    Some(decoded.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_found_by_method_and_decoded_path() {
        let route = Route::of(&Method::GET, "/v3/pay/transactions/out-trade-no/A%7Cb%2Ac");
        assert_eq!(route, Some(Route::QueryByNumber("A|b*c".to_owned())));
        assert_eq!(Route::of(&Method::GET, "/v3/pay/transactions/native"), None);
        assert_eq!(Route::of(&Method::POST, "/v3/Pay/transactions/native"), None);
    }
}
