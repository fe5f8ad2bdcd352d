//! The answer around the answer: `{"<method>_response":...,"alipay_cert_sn":"...","sign":"..."}`.

use axum::{
    body::Body,
    http::{HeaderName, HeaderValue, Response, StatusCode, header::CONTENT_TYPE},
};
use encoding_rs::GBK;

use super::{answer::Fields, cipher, seal};
use crate::{faults::Plan, world::World};

/// The header that Alipay's support asks for.
const TRACE_ID: HeaderName = HeaderName::from_static("trace_id");

/// An answer before it is signed.
#[derive(Debug)]
pub(super) struct Reply {
    /// `<method>_response` or `error_response`.
    pub(super) root_key: String,
    pub(super) fields: Fields,
    /// Whether the fields are encrypted.
    pub(super) encrypted: bool,
    /// Whether the gateway can sign: it cannot for an app it does not know.
    pub(super) signed: bool,
}

/// Writes and signs an answer. The HTTP status is 200, whatever the answer says.
pub(super) fn write(world: &World, reply: Reply, plan: &Plan) -> Response<Body> {
    let json = reply.fields.falsify(plan.wrong_amount_fen).json();
    let source = if reply.encrypted {
        let key = world.credentials().alipay.encrypt_key.clone();
        format!("\"{}\"", cipher::encrypt(&key, &json).unwrap_or_default())
    } else {
        json
    };
    // Those of Alipay's machines that write `\/` sign what they had before, with plain slashes.
    let signature = if reply.signed {
        seal::sign(world, &encoded(&source, plan.gbk), plan.signature)
    } else {
        None
    };
    let shown = if world.config.alipay.escaped_slashes {
        source.replace('/', "\\/")
    } else {
        source
    };
    let mut text = format!("{{\"{}\":{shown}", reply.root_key);
    if reply.signed
        && let Some(number) = seal::alipay_cert_sn(world)
    {
        text.push_str(&format!(",\"alipay_cert_sn\":\"{number}\""));
    }
    if let Some(signature) = signature {
        text.push_str(&format!(",\"sign\":\"{signature}\""));
    }
    text.push('}');
    let charset = if plan.gbk { "GBK" } else { "utf-8" };
    respond(world, StatusCode::OK, charset, encoded(&text, plan.gbk))
}

/// What a machine in front of the gateway says: HTML.
pub(super) fn page(world: &World, status: StatusCode) -> Response<Body> {
    let reason = status.canonical_reason().unwrap_or("Error");
    let code = status.as_u16();
    let page = format!(
        "<html>\n<head><title>{code} {reason}</title></head>\n<body>\n<h1>{code} {reason}</h1>\n\
         <hr/>Powered by Tengine\n</body>\n</html>\n"
    );
    respond(world, status, "GBK", page.into_bytes())
}

fn encoded(text: &str, gbk: bool) -> Vec<u8> {
    if gbk {
        GBK.encode(text).0.into_owned()
    } else {
        text.as_bytes().to_vec()
    }
}

fn respond(world: &World, status: StatusCode, charset: &str, body: Vec<u8>) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    if let Ok(value) = HeaderValue::from_str(&format!("text/html;charset={charset}")) {
        headers.insert(CONTENT_TYPE, value);
    }
    if let Ok(value) = HeaderValue::from_str(&world.random.hex(30)) {
        headers.insert(TRACE_ID, value);
    }
    response
}
