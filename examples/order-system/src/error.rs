//! Every way a request can fail, each with its status and its words for the person who asked.

use axum::http::StatusCode;
use sea_orm::DbErr;

use crate::{
    cancel_rule::CancelRefusal,
    remote::Dependency,
    status::{Event, OrderStatus},
    trade::TradeFailure,
};

/// The platform's code of errors about a cancellation.
const ORDERS_CANCEL: u16 = 607;
/// The platform's code of errors about a payment.
const TRADE_FAILED: u16 = 609;

/// Why something was not done. Nothing of it was written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OrderError {
    #[error("{field}: {english}")]
    Invalid {
        field: &'static str,
        chinese: String,
        english: String,
    },
    #[error("nobody is signed in")]
    NobodySignedIn,
    #[error("there is no order {0}")]
    NoSuchOrder(i64),
    #[error("order {0} is another customer's")]
    NotYours(i64),
    #[error("there is no address {0}")]
    NoSuchAddress(i64),
    #[error("address {0} is another customer's")]
    NotYourAddress(i64),
    #[error("there is no service {0}")]
    NoSuchService(i64),
    #[error("service {0} is not on sale")]
    OffSale(i64),
    #[error("{0} does not answer")]
    Down(Dependency),
    #[error("the order is {0:?}, so it cannot be paid")]
    NotPayable(OrderStatus),
    #[error("the time to pay is over")]
    TimeOver,
    #[error("the order is paid already")]
    JustPaid,
    #[error("the order is {status:?}, and cannot be cancelled: {refusal:?}")]
    NotCancellable {
        status: OrderStatus,
        refusal: CancelRefusal,
    },
    #[error("the order is {status:?}, so {event:?} is not possible")]
    WrongStep { status: OrderStatus, event: Event },
    #[error("the refund of the order has not failed")]
    RefundNotFailed,
    #[error("the order kept changing")]
    Contended,
    #[error(transparent)]
    Trade(#[from] TradeFailure),
    #[error("the database failed")]
    Store(#[from] DbErr),
    #[error("no order number could be made: {0}")]
    Numbers(String),
    #[error("the request comes from another site")]
    OtherSite,
    #[error("the work was interrupted")]
    Interrupted,
}

impl OrderError {
    /// A value that breaks a rule.
    pub(crate) fn invalid(
        field: &'static str,
        chinese: impl Into<String>,
        english: impl Into<String>,
    ) -> Self {
        Self::Invalid {
            field,
            chinese: chinese.into(),
            english: english.into(),
        }
    }

    /// The HTTP status.
    pub(crate) const fn status(&self) -> StatusCode {
        match self {
            Self::Invalid { .. } => StatusCode::BAD_REQUEST,
            Self::NobodySignedIn => StatusCode::UNAUTHORIZED,
            Self::NotYours(_) | Self::NotYourAddress(_) | Self::OtherSite => StatusCode::FORBIDDEN,
            Self::NoSuchOrder(_) | Self::NoSuchAddress(_) | Self::NoSuchService(_) => StatusCode::NOT_FOUND,
            Self::OffSale(_)
            | Self::NotPayable(_)
            | Self::TimeOver
            | Self::JustPaid
            | Self::NotCancellable { .. }
            | Self::WrongStep { .. }
            | Self::RefundNotFailed
            | Self::Contended
            | Self::Trade(TradeFailure::Refused { .. }) => StatusCode::CONFLICT,
            Self::Down(_)
            | Self::Trade(TradeFailure::Later { .. } | TradeFailure::Unknown { .. })
            | Self::Store(_)
            | Self::Numbers(_)
            | Self::Interrupted => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// The code in the body: the platform's where it has one, else the HTTP status.
    pub(crate) const fn code(&self) -> u16 {
        match self {
            Self::NotCancellable { .. } => ORDERS_CANCEL,
            Self::NotPayable(_) | Self::TimeOver | Self::JustPaid | Self::Trade(_) => TRADE_FAILED,
            _ => self.status().as_u16(),
        }
    }

    /// What the person reads: Chinese and English.
    pub(crate) fn words(&self) -> (String, String) {
        match self {
            Self::Invalid { chinese, english, .. } => (chinese.clone(), english.clone()),
            Self::NotPayable(status) => {
                let (chinese, english) = status.words();
                (
                    format!("订单{chinese}，不能支付"),
                    format!("This order cannot be paid: {english}."),
                )
            }
            Self::NotCancellable { status, refusal } => cancel_words(*status, *refusal),
            Self::WrongStep { status, .. } => {
                let (chinese, english) = status.words();
                (
                    format!("订单现在是“{chinese}”，不能这样操作"),
                    format!("The order is now at “{english}”, so this step is not possible."),
                )
            }
            Self::Down(dependency) => dependency.down_words(),
            Self::Trade(failure) => failure.words(),
            simple => {
                let (chinese, english) = simple.fixed_words();
                (chinese.to_owned(), english.to_owned())
            }
        }
    }

    const fn fixed_words(&self) -> (&'static str, &'static str) {
        match self {
            Self::NobodySignedIn => ("请先登录", "Please sign in first."),
            Self::NoSuchOrder(_) => ("订单不存在", "There is no such order."),
            Self::NotYours(_) => ("这是别人的订单", "This order belongs to somebody else."),
            Self::NoSuchAddress(_) => (
                "地址不存在，请重新选择",
                "There is no such address; choose another.",
            ),
            Self::NotYourAddress(_) => (
                "这是别人的地址，请重新选择",
                "This address belongs to somebody else; choose another.",
            ),
            Self::NoSuchService(_) => ("服务不存在", "There is no such service."),
            Self::OffSale(_) => ("该服务已下架，不能预约", "This service is not on sale now."),
            Self::TimeOver => (
                "支付时间已过，订单即将取消，请重新下单",
                "The time to pay is over and the order is about to be cancelled; please book again.",
            ),
            Self::JustPaid => (
                "订单刚刚支付成功，没有取消；如需退款请再次取消",
                "The order has just been paid and was not cancelled; cancel it again to be refunded.",
            ),
            Self::RefundNotFailed => (
                "该订单的退款没有失败，无需重新发起",
                "The refund of this order has not failed, so it is not begun again.",
            ),
            Self::Contended => (
                "订单刚刚发生变化，请再试一次",
                "The order has just changed; please try again.",
            ),
            Self::OtherSite => (
                "请求来自其他网站，已拒绝",
                "The request comes from another site and was refused.",
            ),
            _ => (
                "系统繁忙，没有做任何改动，请稍后再试",
                "The system is busy; nothing was changed, please try again in a moment.",
            ),
        }
    }
}

fn cancel_words(status: OrderStatus, refusal: CancelRefusal) -> (String, String) {
    let (chinese, english) = status.words();
    match refusal {
        CancelRefusal::Already => (
            format!("订单{chinese}，无需再次取消"),
            format!("There is nothing left to cancel: {english}."),
        ),
        CancelRefusal::TooShortNotice => (
            "距离服务开始不足两小时，不能自行取消，请联系客服".to_owned(),
            "The service begins in less than two hours; please call us to cancel it.".to_owned(),
        ),
        CancelRefusal::TooLongAgo => (
            "服务结束已超过15天，不能再关闭订单".to_owned(),
            "The service ended more than 15 days ago, so the order stays as it is.".to_owned(),
        ),
        CancelRefusal::NotAllowed => (
            format!("订单现在是“{chinese}”，当前订单状态不支持取消"),
            format!("An order at “{english}” cannot be cancelled this way."),
        ),
    }
}
