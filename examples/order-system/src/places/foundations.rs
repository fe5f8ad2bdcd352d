//! `foundations`: what is offered, where and for how much. Seed data stands for its database.

use axum::{
    Json, Router,
    extract::Path,
    response::{IntoResponse, Response},
    routing::get,
};
use serde::Serialize;

use super::missing;

/// A service in a city. Prices are yuan, as text.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "camelCase")]
struct Serve {
    #[serde(serialize_with = "super::long")]
    id: i64,
    price: &'static str,
    /// 1 hour, 2 square metre, 3 piece.
    unit: i32,
    city_code: &'static str,
    /// 0 draft, 1 off sale, 2 on sale.
    sale_status: i32,
    #[serde(serialize_with = "super::long")]
    serve_item_id: i64,
    serve_item_name: &'static str,
    serve_item_img: &'static str,
    #[serde(serialize_with = "super::long")]
    serve_type_id: i64,
    serve_type_name: &'static str,
}

const ON_SALE: i32 = 2;
const OFF_SALE: i32 = 1;

const fn serve(
    id: i64,
    price: &'static str,
    unit: i32,
    sale_status: i32,
    item: (i64, &'static str),
) -> Serve {
    let (serve_item_id, serve_item_name) = item;
    Serve {
        id,
        price,
        unit,
        city_code: "010",
        sale_status,
        serve_item_id,
        serve_item_name,
        serve_item_img: "",
        serve_type_id: if id < 20 { 1 } else { 2 },
        serve_type_name: if id < 20 { "保洁清洗" } else { "家电维修" },
    }
}

const SERVES: [Serve; 5] = [
    serve(11, "39.90", 1, ON_SALE, (101, "日常保洁")),
    serve(12, "12.50", 2, ON_SALE, (102, "玻璃清洗")),
    serve(13, "0.01", 3, ON_SALE, (103, "试做一次")),
    serve(21, "128.00", 3, ON_SALE, (201, "空调清洗")),
    serve(22, "80.00", 3, OFF_SALE, (202, "洗衣机维修")),
];

/// Its routes.
pub fn router() -> Router {
    Router::new()
        .route("/foundations/inner/serve/{id}", get(one))
        .route("/foundations/inner/serve", get(all))
}

async fn one(Path(id): Path<i64>) -> Response {
    match SERVES.iter().find(|serve| serve.id == id) {
        Some(serve) => Json(serve).into_response(),
        None => missing(&format!("there is no service {id}")),
    }
}

async fn all() -> Json<[Serve; 5]> {
    Json(SERVES)
}
