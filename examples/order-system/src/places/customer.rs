//! `customer`: the customers and their address books. Seed data stands for its database.

use axum::{
    Json, Router,
    extract::{Path, Query},
    response::{IntoResponse, Response},
    routing::get,
};
use serde::{Deserialize, Serialize};

use super::missing;

/// An entry of an address book.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "camelCase")]
struct Address {
    #[serde(serialize_with = "super::long")]
    id: i64,
    #[serde(serialize_with = "super::long")]
    user_id: i64,
    name: &'static str,
    phone: &'static str,
    province: &'static str,
    city: &'static str,
    county: &'static str,
    address: &'static str,
    lon: &'static str,
    lat: &'static str,
}

const ADDRESSES: [Address; 4] = [
    Address {
        id: 1,
        user_id: 1001,
        name: "李明",
        phone: "13800000001",
        province: "北京市",
        city: "北京市",
        county: "昌平区",
        address: "回龙观街道1号楼101",
        lon: "116.337400",
        lat: "40.060200",
    },
    Address {
        id: 2,
        user_id: 1001,
        name: "李明",
        phone: "13800000001",
        province: "北京市",
        city: "北京市",
        county: "海淀区",
        address: "中关村大街27号",
        lon: "116.316800",
        lat: "39.983700",
    },
    Address {
        id: 3,
        user_id: 1002,
        name: "王芳",
        phone: "13800000002",
        province: "上海市",
        city: "上海市",
        county: "浦东新区",
        address: "世纪大道100号",
        lon: "121.506400",
        lat: "31.240100",
    },
    Address {
        id: 4,
        user_id: 1002,
        name: "王芳",
        phone: "13800000002",
        province: "上海市",
        city: "上海市",
        county: "徐汇区",
        address: "漕溪北路88号",
        lon: "121.437500",
        lat: "31.188500",
    },
];

/// The customers of the seed data: number and name.
pub const CUSTOMERS: [(i64, &str); 2] = [(1001, "李明"), (1002, "王芳")];

/// Its routes.
pub fn router() -> Router {
    Router::new()
        .route("/customer/inner/address-book/{id}", get(one))
        .route("/customer/inner/address-book", get(of_user))
}

async fn one(Path(id): Path<i64>) -> Response {
    match ADDRESSES.iter().find(|address| address.id == id) {
        Some(address) => Json(address).into_response(),
        None => missing(&format!("there is no address {id}")),
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct OfUser {
    user_id: i64,
}

async fn of_user(Query(asked): Query<OfUser>) -> Json<Vec<Address>> {
    let of_user = ADDRESSES
        .iter()
        .filter(|address| address.user_id == asked.user_id);
    Json(of_user.copied().collect())
}
