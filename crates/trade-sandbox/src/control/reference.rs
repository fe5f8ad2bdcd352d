//! The document as a page for people, with the state of the sandbox on top.

use std::{cmp::Reverse, sync::Arc};

use axum::{
    extract::State,
    http::{
        StatusCode,
        header::{CONTENT_TYPE, LOCATION},
    },
    response::{IntoResponse, Response},
};

use super::document::{self, Node, Operation};
use crate::{
    Channel, beijing,
    ledger::{Order, OrderState},
    page::{
        html::Html,
        serve::html,
        text::{duration, yuan},
    },
    world::World,
};

const STYLE: &str = include_str!("reference.css");
const PAGE: &str = include_str!("reference.html");
const OPERATION: &str = include_str!("operation.html");
const ORDER: &str = include_str!("order.html");

/// Of the orders, this many of the newest are shown.
const ORDERS_SHOWN: usize = 8;

/// `GET /`: leads to the page.
pub(super) async fn home() -> Response {
    (StatusCode::SEE_OTHER, [(LOCATION, "sandbox")]).into_response()
}

/// `GET /sandbox/openapi.json`.
pub(super) async fn document() -> Response {
    ([(CONTENT_TYPE, "application/json")], document::TEXT).into_response()
}

/// `GET /sandbox`.
pub(super) async fn page(State(world): State<Arc<World>>) -> Response {
    world.catch_up();
    let info = document::root().get("info");
    let values = [
        ("style", Html::markup(STYLE)),
        ("summary", Html::text(info.text("summary"))),
        ("description", prose(info.text("description"))),
        ("state", state(&world)),
        ("orders", orders(&world)),
        ("sections", sections(&world.api_url)),
    ];
    html(StatusCode::OK, Html::fill(PAGE, &values).into_string())
}

fn state(world: &World) -> Html {
    let config = &world.config;
    let pace = if world.clock.is_frozen() {
        "（静止 frozen）"
    } else {
        ""
    };
    let rows = [
        (
            "时间 Clock",
            format!("{}{pace}", beijing::wall(world.clock.now_ms())),
        ),
        ("微信支付 API", world.api_url.clone()),
        ("支付宝网关 Gateway", format!("{}/gateway.do", world.api_url)),
        ("收银台 Pay pages", format!("{}/pay/…", world.page_url)),
        ("微信商户号 mchid", config.wechat.mchid.clone()),
        ("微信 appid", config.wechat.appid.clone()),
        ("支付宝 app_id", config.alipay.app_id.clone()),
        ("支付宝 PID", config.alipay.pid.clone()),
    ];
    let row = |(name, value): (&'static str, String)| {
        Html::fill(
            "<div><dt>{{name}}</dt><dd>{{value}}</dd></div>\n",
            &[("name", Html::markup(name)), ("value", Html::text(&value))],
        )
    };
    rows.into_iter().map(row).collect()
}

fn orders(world: &World) -> Html {
    let mut all: Vec<Order> = world.ledger.read(|book| book.orders().cloned().collect());
    all.sort_by_key(|order| Reverse(order.created_ms));
    if all.is_empty() {
        return Html::markup(r#"<p class="soft">还没有订单。 No orders yet.</p>"#);
    }
    let now_ms = world.clock.now_ms();
    all.iter()
        .take(ORDERS_SHOWN)
        .map(|order| order_line(order, now_ms))
        .collect()
}

fn order_line(order: &Order, now_ms: i64) -> Html {
    let left_ms = order.payable_until_ms.saturating_sub(now_ms);
    let state = match order.state {
        OrderState::Created | OrderState::Scanned if left_ms <= 0 => "已过期 expired".to_owned(),
        OrderState::Created => format!("未扫码 created · {}", duration(left_ms)),
        OrderState::Scanned => format!("已扫码 scanned · {}", duration(left_ms)),
        OrderState::Paid => "已支付 paid".to_owned(),
        OrderState::Closed => "已关闭 closed".to_owned(),
        OrderState::Finished => "已完结 finished".to_owned(),
    };
    let theme = match order.key.channel {
        Channel::Wechat => "wechat",
        Channel::Alipay => "alipay",
    };
    Html::fill(
        ORDER,
        &[
            ("theme", Html::markup(theme)),
            ("token", Html::text(&order.code_token)),
            ("description", Html::text(&order.description)),
            ("number", Html::text(&order.key.out_trade_no)),
            ("amount", Html::text(&yuan(order.amount_fen))),
            ("state", Html::text(&state)),
        ],
    )
}

/// The operations by tag.
fn sections(base: &str) -> Html {
    let section = |tag: Node| {
        let name = tag.text("name");
        let of_tag = |operation: &Operation| {
            operation
                .node
                .get("tags")
                .items()
                .any(|known| known.show() == name)
        };
        let operations: Html = document::operations()
            .filter(of_tag)
            .map(|operation| show(&operation, name, base))
            .collect();
        let title = Html::text(tag.text("description"));
        Html::fill(
            "<h2>{{title}}</h2>\n{{operations}}",
            &[("title", title), ("operations", operations)],
        )
    };
    document::root().get("tags").items().map(section).collect()
}

fn show(operation: &Operation, tag: &str, base: &str) -> Html {
    let values = [
        ("method_class", Html::text(operation.method)),
        ("method", Html::text(&operation.method.to_uppercase())),
        ("path", breakable(operation.path)),
        ("summary", Html::text(operation.node.text("summary"))),
        ("description", prose(operation.node.text("description"))),
        ("fields", fields(operation)),
        ("calls", calls(operation, tag == "page", base)),
        ("answers", answers(operation)),
    ];
    Html::fill(OPERATION, &values)
}

fn fields(operation: &Operation) -> Html {
    let path = operation
        .parameters()
        .map(|parameter| field(parameter.text("name"), true, parameter, parameter.get("schema")));
    let body = operation
        .fields()
        .map(|(name, required, schema)| field(name, required, schema, schema));
    let all: Vec<Html> = path.chain(body).collect();
    if all.is_empty() {
        return Html::default();
    }
    Html::fill("<dl>{{all}}</dl>", &[("all", all.into_iter().collect())])
}

fn field(name: &'static str, required: bool, about: Node, schema: Node) -> Html {
    let mut rules = vec![schema.text("type").to_owned()];
    let words: Vec<String> = schema.get("enum").items().map(Node::show).collect();
    if !words.is_empty() {
        rules = vec![words.join(" | ")];
    }
    for (rule, sign) in [("minimum", "≥ "), ("maximum", "≤ "), ("default", "默认 ")] {
        let value = schema.get(rule).show();
        if !value.is_empty() {
            rules.push(format!("{sign}{value}"));
        }
    }
    let must = if required {
        "必填 required"
    } else {
        "选填 optional"
    };
    rules.push(must.to_owned());
    Html::fill(
        "<dt><code>{{name}}</code><small>{{rules}}</small></dt><dd>{{about}}</dd>\n",
        &[
            ("name", Html::text(name)),
            ("rules", Html::text(&rules.join(" · "))),
            ("about", prose(about.text("description"))),
        ],
    )
}

/// A command for each example.
fn calls(operation: &Operation, asks_for_json: bool, base: &str) -> Html {
    let mut command = "curl".to_owned();
    if operation.method != "get" {
        command = format!("{command} -X {}", operation.method.to_uppercase());
    }
    if asks_for_json {
        command.push_str(" -H 'Accept: application/json'");
    }
    let command = format!("{command} {base}{}", operation.example_path());
    let with_body = |(name, body): (&str, Node)| {
        let comment = if name.is_empty() {
            String::new()
        } else {
            format!("# {name}\n")
        };
        format!("{comment}{command} -d '{}'", body.show())
    };
    let mut commands: Vec<String> = operation.bodies().into_iter().map(with_body).collect();
    if commands.is_empty() {
        commands.push(command);
    }
    Html::text(&commands.join("\n"))
}

fn answers(operation: &Operation) -> Html {
    let answer = |(status, response): (&'static str, Node)| {
        let examples = response.get("content").get("application/json").examples();
        let example = examples.into_iter().next().filter(|_| status.starts_with('2'));
        let example = example.map_or_else(Html::default, |(_, example)| {
            Html::fill("<pre>{{json}}</pre>", &[("json", Html::text(&example.pretty()))])
        });
        Html::fill(
            "<p class=\"answer\"><b>{{status}}</b> {{description}}</p>{{example}}\n",
            &[
                ("status", Html::text(status)),
                ("description", prose(response.text("description"))),
                ("example", example),
            ],
        )
    };
    operation.node.get("responses").members().map(answer).collect()
}

/// A path that may be broken after each slash.
fn breakable(path: &str) -> Html {
    let pieces = path.split_inclusive('/');
    pieces
        .flat_map(|piece| [Html::text(piece), Html::markup("<wbr>")])
        .collect()
}

/// Prose in which backticks mark code.
fn prose(text: &'static str) -> Html {
    let piece = |(index, piece): (usize, &'static str)| {
        let template = if index % 2 == 1 {
            "<code>{{piece}}</code>"
        } else {
            "{{piece}}"
        };
        Html::fill(template, &[("piece", Html::text(piece))])
    };
    text.split('`').enumerate().map(piece).collect()
}
