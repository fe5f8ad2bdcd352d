//! Placing an order: address and service are asked for, then everything is written at once.

use trade_core::{Amount, Timestamp};

use super::Orders;
use crate::{
    error::OrderError,
    remote::{Address, Answer, Remote, Serve},
    status::{OrderStatus, PayStatus},
    store::{is_duplicate, table::Order},
};

/// The most units of a service in one order.
pub(crate) const MOST: i64 = 999;
/// The last digits of an order's number that keep orders of the same time apart.
const SORT_DIGITS: i64 = 100_000;
/// How often a new number is tried when one turns out to be taken.
const TRIES: u32 = 5;

/// What a customer asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Booking {
    pub(crate) user_id: i64,
    pub(crate) serve_id: i64,
    pub(crate) quantity: i64,
    pub(crate) starts_at: Timestamp,
    pub(crate) address_id: i64,
}

impl Orders {
    /// Places an order and returns its number.
    ///
    /// # Errors
    /// What is wrong with the request, or which service does not answer. Nothing was written.
    pub(crate) async fn place(&self, booking: &Booking) -> Result<i64, OrderError> {
        let quantity = quantity(booking.quantity)?;
        if booking.starts_at <= self.now() {
            return Err(OrderError::invalid(
                "serveStartTime",
                "服务时间已过，请选择将来的时间",
                "must be in the future: choose a later time for the service",
            ));
        }
        let address = self.address(booking.user_id, booking.address_id).await?;
        let serve = self.serve(booking.serve_id).await?;
        let mut order = self.compose(booking, quantity, &address, serve)?;
        for _ in 0..TRIES {
            order.id = self.numbers.next(self.now()).await?;
            order.sort_by = order.serve_start_time.saturating_add(order.id % SORT_DIGITS);
            match self.store.insert_order(&order).await {
                Ok(()) => return Ok(order.id),
                Err(error) if is_duplicate(&error) => {
                    tracing::warn!(
                        order = order.id,
                        "the order number is taken: the counter is behind"
                    );
                    self.numbers.raise(self.now()).await?;
                }
                Err(error) => return Err(error.into()),
            }
        }
        Err(OrderError::Numbers(
            "every number that was tried is taken".to_owned(),
        ))
    }

    async fn address(&self, user_id: i64, id: i64) -> Result<Address, OrderError> {
        let path = format!("/customer/inner/address-book/{id}");
        let address: Address = found(&self.customer, &path, OrderError::NoSuchAddress(id)).await?;
        match address.user_id {
            Some(owner) if owner != user_id => Err(OrderError::NotYourAddress(id)),
            Some(_) | None => Ok(address),
        }
    }

    /// A service that can be booked.
    pub(crate) async fn serve(&self, id: i64) -> Result<Serve, OrderError> {
        let path = format!("/foundations/inner/serve/{id}");
        let serve: Serve = found(&self.foundations, &path, OrderError::NoSuchService(id)).await?;
        if serve.is_on_sale() {
            Ok(serve)
        } else {
            Err(OrderError::OffSale(id))
        }
    }

    /// The row, but for its number.
    fn compose(
        &self,
        booking: &Booking,
        quantity: i32,
        address: &Address,
        serve: Serve,
    ) -> Result<Order, OrderError> {
        let (price, total) = sums(&serve, quantity)?;
        let now = self.now();
        Ok(Order {
            id: 0,
            user_id: booking.user_id,
            serve_type_id: serve.serve_type_id,
            serve_type_name: serve.serve_type_name,
            serve_item_id: serve.serve_item_id,
            serve_item_name: serve.serve_item_name,
            serve_item_img: serve.serve_item_img,
            unit: serve.unit,
            serve_id: serve.id,
            orders_status: OrderStatus::NoPay.code(),
            pay_status: PayStatus::NoPay.code(),
            refund_status: None,
            price,
            pur_num: quantity,
            total_amount: total,
            // There are no coupons here, so nothing is taken off.
            real_pay_amount: total,
            discount_amount: 0,
            city_code: serve.city_code,
            serve_address: address.line(),
            contacts_phone: address.phone.clone(),
            contacts_name: address.name.clone(),
            serve_start_time: booking.starts_at.ms(),
            lon: address.lon.clone(),
            lat: address.lat.clone(),
            pay_time: None,
            evaluation_time: None,
            trading_order_no: None,
            transaction_id: None,
            refund_no: None,
            refund_id: None,
            trading_channel: None,
            display: 1,
            sort_by: 0,
            create_time: now.ms(),
            update_time: now.ms(),
            pay_deadline: now.plus(self.settings.pay_within).ms(),
            serve_end_time: None,
            seen_seq: None,
            check_at: now.ms(),
            checks: 0,
            refund_attempt: 0,
        })
    }
}

/// What a service answers; `missing` when it says that it is not there.
async fn found<T: serde::de::DeserializeOwned>(
    remote: &Remote,
    path: &str,
    missing: OrderError,
) -> Result<T, OrderError> {
    match remote.get(path).await {
        Answer::Found(found) => Ok(found),
        Answer::Missing => Err(missing),
        Answer::Fallback => Err(OrderError::Down(remote.dependency())),
    }
}

fn quantity(asked: i64) -> Result<i32, OrderError> {
    let within = (1..=MOST).contains(&asked).then_some(asked);
    within.and_then(|asked| i32::try_from(asked).ok()).ok_or_else(|| {
        OrderError::invalid(
            "purNum",
            format!("购买数量须为 1 到 {MOST}"),
            format!("must be from 1 to {MOST}"),
        )
    })
}

/// Price and total in fen.
fn sums(serve: &Serve, quantity: i32) -> Result<(i64, i64), OrderError> {
    let price = Amount::from_yuan(&serve.price).map_err(|error| {
        tracing::error!(serve = serve.id, %error, "the service has no usable price");
        OrderError::OffSale(serve.id)
    })?;
    let total = price.get().checked_mul(i64::from(quantity));
    let total = total.and_then(|total| Amount::new(total).ok()).ok_or_else(|| {
        OrderError::invalid(
            "purNum",
            "订单总价超过上限，请减少数量",
            "makes the total too high: order less at once",
        )
    })?;
    Ok((price.get(), total.get()))
}
