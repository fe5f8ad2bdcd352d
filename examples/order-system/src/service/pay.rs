//! Paying: a code at the chosen channel, and asking how it went.

use trade_core::{Channel, TradingOrderNo};

use super::Orders;
use crate::{
    error::OrderError,
    status::{OrderStatus, PayStatus},
    store::{paid::Paid, table::Order},
    trade::{Code, NativePay, TradeFailure, Trading},
};

/// How an order can be paid, or was.
#[derive(Debug, Clone)]
pub(crate) struct Payable {
    pub(crate) order_id: i64,
    pub(crate) trading_order_no: Option<TradingOrderNo>,
    pub(crate) channel: Option<Channel>,
    pub(crate) status: PayStatus,
    /// The code, while it can be paid.
    pub(crate) code: Option<Code>,
}

impl Payable {
    fn of(order: &Order, code: Option<Code>) -> Self {
        Self {
            order_id: order.id,
            trading_order_no: order
                .trading_order_no
                .and_then(|number| TradingOrderNo::new(number).ok()),
            channel: order.channel(),
            status: if order.is_paid() {
                PayStatus::Paid
            } else {
                PayStatus::NoPay
            },
            code,
        }
    }
}

impl Orders {
    /// Gives a code to pay an order at a channel. Repeating it gives the same code; another channel than
    /// before closes what was open there.
    ///
    /// # Errors
    /// The order cannot be paid any more, or the trade server does not do it.
    pub(crate) async fn pay(&self, user_id: i64, id: i64, channel: Channel) -> Result<Payable, OrderError> {
        let order = self.order_of(user_id, id).await?;
        if order.is_paid() {
            return Ok(Payable::of(&order, None));
        }
        let status = order.status()?;
        if status != OrderStatus::NoPay {
            return Err(OrderError::NotPayable(status));
        }
        if self.now() >= order.deadline() {
            return Err(OrderError::TimeOver);
        }
        if let Some(code) = self.live_code(&order, channel).await {
            return Ok(Payable::of(&order, Some(code)));
        }
        match self.new_code(&order, channel).await {
            Ok(native) => self.remember(order, native).await,
            Err(failure) if failure.is_paid() => self.found_paid(&order).await,
            Err(failure) => Err(failure.into()),
        }
    }

    /// The code the order has at this channel already, if it lives: the table of the trade server tells,
    /// which is cheaper than asking for another, and works to the last second.
    async fn live_code(&self, order: &Order, channel: Channel) -> Option<Code> {
        if order.channel() != Some(channel) {
            return None;
        }
        self.code_of(order).await
    }

    /// The code of an order's trading, while it can be paid.
    pub(crate) async fn code_of(&self, order: &Order) -> Option<Code> {
        let number = TradingOrderNo::new(order.trading_order_no?).ok()?;
        match self.trade.trading(number).await {
            Ok(trading) => trading.code(),
            Err(failure) => {
                tracing::warn!(order = order.id, %failure, "the order's code could not be read");
                None
            }
        }
    }

    async fn new_code(&self, order: &Order, channel: Channel) -> Result<NativePay, TradeFailure> {
        let amount = order.to_pay().map_err(|error| TradeFailure::Later {
            detail: error.to_string(),
        })?;
        let change = order.channel().is_some_and(|chosen| chosen != channel);
        match self.trade.native(order, amount, channel, change).await {
            // A crash came between the trading at the other channel and its mention in the order.
            Err(failure) if failure.is_paying_elsewhere() && !change => {
                self.trade.native(order, amount, channel, true).await
            }
            answer => answer,
        }
    }

    /// Writes the trading down. An order that was cancelled meanwhile must not be paid: its code is closed.
    async fn remember(&self, order: Order, native: NativePay) -> Result<Payable, OrderError> {
        let (number, channel) = (native.trading_order_no, native.trading_channel);
        if self
            .store
            .set_trading(order.id, number, channel, self.now())
            .await?
        {
            self.tell();
            let code = Code {
                qr_code: native.qr_code,
                code_url: native.code_url,
            };
            return Ok(Payable {
                order_id: order.id,
                trading_order_no: Some(number),
                channel: Some(channel),
                status: PayStatus::NoPay,
                code: Some(code),
            });
        }
        let order = self.any_order(order.id).await?;
        if order.is_paid() {
            return Ok(Payable::of(&order, None));
        }
        if let Err(failure) = self.trade.close(number).await {
            tracing::warn!(order = order.id, %failure, "a code of a cancelled order stays until it expires");
        }
        Err(OrderError::NotPayable(order.status()?))
    }

    /// The trade server says that the order is paid: then it is, whatever the events do.
    async fn found_paid(&self, order: &Order) -> Result<Payable, OrderError> {
        for trading in self.trade.tradings_of(order.id).await? {
            self.take_in(order, &trading).await?;
        }
        let order = self.any_order(order.id).await?;
        Ok(Payable::of(&order, None))
    }

    /// How the payment of an order went: asks the trade server, which asks the channel, while it is unpaid.
    ///
    /// # Errors
    /// The order is unknown or somebody else's. A trade server that does not answer leaves what is known.
    pub(crate) async fn pay_result(&self, user_id: i64, id: i64) -> Result<Payable, OrderError> {
        let order = self.order_of(user_id, id).await?;
        let number = order
            .trading_order_no
            .and_then(|number| TradingOrderNo::new(number).ok());
        let Some(number) = number.filter(|_| !order.is_paid()) else {
            return Ok(Payable::of(&order, None));
        };
        let trading = match self.trade.result(number).await {
            Ok(trading) => trading,
            Err(failure) => {
                tracing::warn!(order = id, %failure, "the result of the payment is not known yet");
                None
            }
        };
        let Some(trading) = trading else {
            return Ok(Payable::of(&order, None));
        };
        self.take_in(&order, &trading).await?;
        let order = self.any_order(id).await?;
        Ok(Payable::of(&order, trading.code().filter(|_| !order.is_paid())))
    }

    /// Takes in what a trading says; whether it has settled its order.
    pub(super) async fn take_in(&self, order: &Order, trading: &Trading) -> Result<bool, OrderError> {
        let Some(payment) = trading.payment(self.now()) else {
            return Ok(false);
        };
        if trading.trading_amount != order.to_pay()?.to_yuan() {
            let (order, number) = (order.id, trading.trading_order_no.get());
            tracing::error!(
                order,
                number,
                "the trading is of another amount than the order: look at both"
            );
            return Ok(false);
        }
        match self.store.pay_success(order.id, &payment, self.now()).await? {
            Paid::Settled => self.tell(),
            Paid::Late => {
                self.tell();
                self.refund_soon(order.id);
            }
            Paid::Known => {}
            Paid::Contradiction | Paid::NoOrder => {
                let (order, number) = (order.id, trading.trading_order_no.get());
                tracing::error!(
                    order,
                    number,
                    "the order is paid by another trading: look at both"
                );
            }
        }
        Ok(true)
    }
}
