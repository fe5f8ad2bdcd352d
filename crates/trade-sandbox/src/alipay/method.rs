//! The methods that are played.

/// What a call asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    /// A code to be scanned.
    Precreate,
    /// Where a trade stands.
    Query,
    /// Closes an unpaid trade.
    Close,
    /// Closes an unpaid trade, refunds a paid one.
    Cancel,
    /// Refunds all of a trade or a part.
    Refund,
    /// Whether a refund was made.
    RefundQuery,
    /// Where a bill can be downloaded.
    Bill,
    /// A certificate of Alipay, by its number.
    Certificate,
}

impl Method {
    const ALL: [Self; 8] = [
        Self::Precreate,
        Self::Query,
        Self::Close,
        Self::Cancel,
        Self::Refund,
        Self::RefundQuery,
        Self::Bill,
        Self::Certificate,
    ];

    /// The method of a name.
    pub(super) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.name() == name)
    }

    /// The name in the parameter `method`.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Precreate => "alipay.trade.precreate",
            Self::Query => "alipay.trade.query",
            Self::Close => "alipay.trade.close",
            Self::Cancel => "alipay.trade.cancel",
            Self::Refund => "alipay.trade.refund",
            Self::RefundQuery => "alipay.trade.fastpay.refund.query",
            Self::Bill => "alipay.data.dataservice.bill.downloadurl.query",
            Self::Certificate => "alipay.open.app.alipaycert.download",
        }
    }

    /// The name in fault rules.
    pub(super) fn operation(self) -> &'static str {
        match self {
            Self::Precreate => "precreate",
            Self::Query => "query",
            Self::Close => "close",
            Self::Cancel => "cancel",
            Self::Refund => "refund",
            Self::RefundQuery => "refund_query",
            Self::Bill => "bill",
            Self::Certificate => "certificate",
        }
    }

    /// The key of the answer in the answer's JSON.
    pub(super) fn root_key(self) -> String {
        format!("{}_response", self.name().replace('.', "_"))
    }
}
