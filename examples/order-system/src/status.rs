//! The states of an order, with the codes of the platform, and every transition there is.

/// Where an order stands (`orders_status`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OrderStatus {
    /// 待支付: waits for its payment.
    NoPay,
    /// 派单中: paid; waits for somebody to take it.
    Dispatching,
    /// 待服务: taken.
    NoServe,
    /// 服务中: under way.
    Serving,
    /// 待评价: done, and the customer is asked for a word. Only where evaluations are switched on.
    NoEvaluation,
    /// 订单完成.
    Finished,
    /// 已取消: cancelled unpaid.
    Canceled,
    /// 已关闭: closed after it was paid; the money goes back.
    Closed,
}

impl OrderStatus {
    /// Every status.
    pub const ALL: [Self; 8] = [
        Self::NoPay,
        Self::Dispatching,
        Self::NoServe,
        Self::Serving,
        Self::NoEvaluation,
        Self::Finished,
        Self::Canceled,
        Self::Closed,
    ];

    /// The code in the table and on the wire.
    #[must_use]
    pub const fn code(self) -> i32 {
        match self {
            Self::NoPay => 0,
            Self::Dispatching => 100,
            Self::NoServe => 200,
            Self::Serving => 300,
            Self::NoEvaluation => 400,
            Self::Finished => 500,
            Self::Canceled => 600,
            Self::Closed => 700,
        }
    }

    /// Reads what [`OrderStatus::code`] wrote.
    #[must_use]
    pub fn from_code(code: i32) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.code() == code)
    }

    /// What people read: Chinese and English.
    #[must_use]
    pub const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::NoPay => ("待支付", "Waiting for payment"),
            Self::Dispatching => ("派单中", "Finding a worker"),
            Self::NoServe => ("待服务", "Worker assigned"),
            Self::Serving => ("服务中", "In progress"),
            Self::NoEvaluation => ("待评价", "Waiting for your review"),
            Self::Finished => ("订单完成", "Finished"),
            Self::Canceled => ("已取消", "Cancelled"),
            Self::Closed => ("已关闭", "Closed"),
        }
    }
}

/// `pay_status`; the numbers are those of a trading's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PayStatus {
    /// 2 待支付.
    NoPay,
    /// 4 支付成功.
    Paid,
}

impl PayStatus {
    /// The code in the table and on the wire.
    #[must_use]
    pub const fn code(self) -> i32 {
        match self {
            Self::NoPay => 2,
            Self::Paid => 4,
        }
    }
}

/// `refund_status`; absent while nothing is refunded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RefundStatus {
    /// 1 退款中.
    Refunding,
    /// 2 退款成功.
    Success,
    /// 3 退款失败.
    Failed,
}

impl RefundStatus {
    /// The code in the table and on the wire.
    #[must_use]
    pub const fn code(self) -> i32 {
        match self {
            Self::Refunding => 1,
            Self::Success => 2,
            Self::Failed => 3,
        }
    }

    /// Reads a code of the table, or of a refund at the trade server, where 0 is one that was only asked for.
    #[must_use]
    pub const fn from_code(code: i32) -> Option<Self> {
        match code {
            0 | 1 => Some(Self::Refunding),
            2 => Some(Self::Success),
            3 => Some(Self::Failed),
            _ => None,
        }
    }
}

/// Who acts (用户类型).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Actor {
    /// 0: a job of this system.
    System,
    /// 1: the customer.
    Customer,
    /// 2: the worker who took the order.
    Worker,
    /// 4: the platform's staff.
    Operator,
}

impl Actor {
    /// The code in the table.
    #[must_use]
    pub const fn code(self) -> i32 {
        match self {
            Self::System => 0,
            Self::Customer => 1,
            Self::Worker => 2,
            Self::Operator => 4,
        }
    }
}

/// What moves an order. Each has one status it leads from and one it leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Event {
    /// The order was paid.
    Payed,
    /// A worker took it.
    Dispatch,
    /// The worker began.
    StartServe,
    /// The worker is done.
    CompleteServe,
    /// The worker is done, and the customer is asked for an evaluation.
    CompleteServeForEvaluation,
    /// The customer said how it was, or time said it for them.
    Evaluate,
    /// Cancelled before it was paid.
    Cancel,
    /// The worker gave it back.
    ServeProviderCancel,
    /// Closed while somebody was looked for.
    CloseDispatchingOrder,
    /// Closed while it was waited for.
    CloseNoServeOrder,
    /// Closed while it was under way.
    CloseServingOrder,
    /// Closed before it was evaluated.
    CloseUnevaluatedOrder,
    /// Closed after it was finished.
    CloseFinishedOrder,
}

impl Event {
    /// Every event.
    pub const ALL: [Self; 13] = [
        Self::Payed,
        Self::Dispatch,
        Self::StartServe,
        Self::CompleteServe,
        Self::CompleteServeForEvaluation,
        Self::Evaluate,
        Self::Cancel,
        Self::ServeProviderCancel,
        Self::CloseDispatchingOrder,
        Self::CloseNoServeOrder,
        Self::CloseServingOrder,
        Self::CloseUnevaluatedOrder,
        Self::CloseFinishedOrder,
    ];

    /// Where it leads from and where to.
    #[must_use]
    pub const fn step(self) -> (OrderStatus, OrderStatus) {
        use OrderStatus::{Canceled, Closed, Dispatching, Finished, NoEvaluation, NoPay, NoServe, Serving};
        match self {
            Self::Payed => (NoPay, Dispatching),
            Self::Dispatch => (Dispatching, NoServe),
            Self::StartServe => (NoServe, Serving),
            Self::CompleteServe => (Serving, Finished),
            Self::CompleteServeForEvaluation => (Serving, NoEvaluation),
            Self::Evaluate => (NoEvaluation, Finished),
            Self::Cancel => (NoPay, Canceled),
            Self::ServeProviderCancel => (NoServe, Dispatching),
            Self::CloseDispatchingOrder => (Dispatching, Closed),
            Self::CloseNoServeOrder => (NoServe, Closed),
            Self::CloseServingOrder => (Serving, Closed),
            Self::CloseUnevaluatedOrder => (NoEvaluation, Closed),
            Self::CloseFinishedOrder => (Finished, Closed),
        }
    }

    /// The name in the history.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Payed => "PAYED",
            Self::Dispatch => "DISPATCH",
            Self::StartServe => "START_SERVE",
            Self::CompleteServe => "COMPLETE_SERVE",
            Self::CompleteServeForEvaluation => "COMPLETE_SERVE_FOR_EVALUATION",
            Self::Evaluate => "EVALUATE",
            Self::Cancel => "CANCEL",
            Self::ServeProviderCancel => "SERVE_PROVIDER_CANCEL",
            Self::CloseDispatchingOrder => "CLOSE_DISPATCHING_ORDER",
            Self::CloseNoServeOrder => "CLOSE_NO_SERVE_ORDER",
            Self::CloseServingOrder => "CLOSE_SERVING_ORDER",
            Self::CloseUnevaluatedOrder => "CLOSE_UNEVALUATED_ORDER",
            Self::CloseFinishedOrder => "CLOSE_FINISHED_ORDER",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_codes_are_the_platforms() {
        let codes: Vec<_> = OrderStatus::ALL.iter().map(|status| status.code()).collect();
        assert_eq!(codes, [0, 100, 200, 300, 400, 500, 600, 700]);
        for status in OrderStatus::ALL {
            assert_eq!(OrderStatus::from_code(status.code()), Some(status));
        }
        assert_eq!(OrderStatus::from_code(150), None);
        assert_eq!((PayStatus::NoPay.code(), PayStatus::Paid.code()), (2, 4));
        let refunds = [0, 1, 2, 3, 4].map(|code| RefundStatus::from_code(code).map(RefundStatus::code));
        assert_eq!(refunds, [Some(1), Some(1), Some(2), Some(3), None]);
    }

    #[test]
    fn every_status_is_reached_and_the_ends_are_ends() {
        let reached = |status| Event::ALL.iter().any(|event| event.step().1 == status);
        let left = |status| Event::ALL.iter().any(|event| event.step().0 == status);
        for status in OrderStatus::ALL {
            assert_eq!(reached(status), status != OrderStatus::NoPay, "{status:?}");
            let is_end = matches!(status, OrderStatus::Canceled | OrderStatus::Closed);
            assert_eq!(left(status), !is_end, "{status:?}");
        }
    }
}
