//! Choosing a service and booking it.

use askama::Template;
use axum::{
    extract::{Path, State},
    response::{IntoResponse, Redirect, Response},
};
use trade_core::Timestamp;

use super::{Frame, Visitor, failed, page, words};
use crate::{
    error::OrderError,
    http::{
        api::{booking, order_id},
        input::Input,
        language::Lang,
        whole,
    },
    remote::{Address, Answer, Serve},
    service::{Orders, place::MOST},
};

/// So far ahead the form proposes to begin.
const PROPOSED: std::time::Duration = std::time::Duration::from_secs(24 * 3600);

#[derive(Debug, Template)]
#[template(path = "services.html")]
struct ServicesPage {
    frame: Frame,
    /// `None`: the service that knows them does not answer.
    services: Option<Vec<ServiceLine>>,
}

#[derive(Debug)]
struct ServiceLine {
    id: i64,
    name: String,
    kind: String,
    price: String,
    unit: &'static str,
    on_sale: bool,
}

impl ServiceLine {
    fn new(lang: Lang, serve: Serve) -> Self {
        Self {
            id: serve.id,
            on_sale: serve.is_on_sale(),
            name: serve.serve_item_name,
            kind: serve.serve_type_name,
            price: serve.price,
            unit: words::unit(lang, serve.unit),
        }
    }
}

/// `GET /`
pub(super) async fn services(State(orders): State<Orders>, visitor: Visitor) -> Response {
    let frame = visitor.frame;
    let lang = frame.lang;
    let answer: Answer<Vec<Serve>> = orders.foundations.get("/foundations/inner/serve").await;
    let services = match answer {
        Answer::Found(all) => Some(
            all.into_iter()
                .map(|serve| ServiceLine::new(lang, serve))
                .collect(),
        ),
        Answer::Missing | Answer::Fallback => None,
    };
    page(&ServicesPage { frame, services })
}

#[derive(Debug, Template)]
#[template(path = "book.html")]
struct BookPage {
    frame: Frame,
    service: ServiceLine,
    /// `None`: the service that knows them does not answer.
    addresses: Option<Vec<Address>>,
    most: i64,
    /// `yyyy-MM-ddTHH:mm`
    earliest: String,
    proposed: String,
    entered: Entered,
    problem: Option<String>,
}

/// What was entered before, so that a mistake costs nothing else.
#[derive(Debug, Default)]
struct Entered {
    quantity: Option<String>,
    starts_at: Option<String>,
    address_id: Option<i64>,
}

impl Entered {
    /// Whether an address is chosen; the first one is, until somebody chooses.
    fn chose(&self, address: &Address, index: usize) -> bool {
        self.address_id.map_or(index == 0, |chosen| chosen == address.id)
    }
}

/// `GET /services/{id}`
pub(super) async fn form(State(orders): State<Orders>, visitor: Visitor, id: Path<String>) -> Response {
    let composed = match order_id(&id) {
        Ok(id) => compose(&orders, &visitor, id, Entered::default(), None).await,
        Err(error) => Err(error),
    };
    visitor.page(composed, "/")
}

async fn compose(
    orders: &Orders,
    visitor: &Visitor,
    id: i64,
    entered: Entered,
    problem: Option<String>,
) -> Result<BookPage, OrderError> {
    let (user_id, frame) = (visitor.user_id()?, visitor.frame.clone());
    let serve = orders.serve(id).await?;
    let path = format!("/customer/inner/address-book?userId={user_id}");
    let addresses = match orders.customer.get(&path).await {
        Answer::Found(all) => Some(all),
        Answer::Missing | Answer::Fallback => None,
    };
    let now = orders.now();
    Ok(BookPage {
        service: ServiceLine::new(frame.lang, serve),
        frame,
        addresses,
        most: MOST,
        earliest: for_field(now),
        proposed: for_field(now.plus(PROPOSED)),
        entered,
        problem,
    })
}

/// As a browser's date field reads it.
fn for_field(time: Timestamp) -> String {
    let text = time.to_beijing_text().replacen(' ', "T", 1);
    text.chars().take(16).collect()
}

/// `POST /orders`
pub(super) async fn place(State(orders): State<Orders>, visitor: Visitor, input: Input) -> Response {
    let placing = orders.clone();
    let placed = async {
        let booking = booking(visitor.user_id()?, &input)?;
        whole(async move { placing.place(&booking).await }).await
    };
    let error = match placed.await {
        Ok(id) => return Redirect::to(&format!("/orders/{id}")).into_response(),
        Err(error) => error,
    };
    // The form comes back as it was filled in, with what is wrong; where it cannot, the message alone.
    let serve_id = input.long("serveId").ok().flatten().unwrap_or_default();
    let entered = Entered {
        quantity: input.text("purNum").map(ToOwned::to_owned),
        starts_at: input.text("serveStartTime").map(ToOwned::to_owned),
        address_id: input.long("addressBookId").ok().flatten(),
    };
    let problem = Some(visitor.frame.lang.choose(error.words()));
    match compose(&orders, &visitor, serve_id, entered, problem).await {
        Ok(shown) => super::with_status(error.status(), &shown),
        Err(_) => failed(visitor.frame, &error, "/"),
    }
}
