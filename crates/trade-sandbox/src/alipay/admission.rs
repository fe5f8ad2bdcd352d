//! What every call must pass before its business is looked at, in the gateway's order: method, app,
//! formats, certificate numbers, signature, permission, decryption, JSON.

use super::{answer::Refusal, cipher, content::Content, method::Method, params::Params, seal};
use crate::{beijing, config::AlipayKeyMode, keys, world::World};

/// How far the timestamp of a call may be from the sandbox's clock.
const TOLERANCE_MS: i64 = 10 * 60_000;

/// The method of a call. It is looked at first: the answer's key depends on it.
///
/// # Errors
///
/// `isv.missing-method`, `isv.invalid-method`.
pub(super) fn method(params: &Params) -> Result<Method, Refusal> {
    let name = params
        .get("method")
        .ok_or_else(|| Refusal::new("isv.missing-method", "缺少方法名参数"))?;
    Method::parse(name).ok_or_else(|| Refusal::new("isv.invalid-method", format!("不存在的方法名：{name}")))
}

/// Checks a call of a known method and reads its content.
///
/// # Errors
///
/// The gateway's refusals.
pub(super) fn admit(world: &World, params: &Params) -> Result<Content, Refusal> {
    check_app(world, params)?;
    check_formats(world, params)?;
    check_certificates(world, params)?;
    check_signature(world, params)?;
    if params.get("app_auth_token").is_some() {
        let text = "无效的应用授权令牌：沙箱没有第三方应用授权";
        return Err(Refusal::new("aop.invalid-app-auth-token", text));
    }
    let biz_content = decrypted(world, params)?;
    biz_content.map_or_else(|| Ok(Content::default()), |text| Content::parse(&text))
}

/// Whether the app is the one of this sandbox. Alipay looks at this before the signature.
///
/// # Errors
///
/// `isv.missing-app-id`, `isv.invalid-app-id`.
pub(super) fn check_app(world: &World, params: &Params) -> Result<(), Refusal> {
    match params.get("app_id") {
        None => Err(Refusal::new("isv.missing-app-id", "缺少AppID参数")),
        Some(app_id) if app_id != world.config.alipay.app_id => Err(Refusal::new(
            "isv.invalid-app-id",
            "无效的AppID参数：请检查app_id与网关地址是否属于同一环境",
        )),
        Some(_) => Ok(()),
    }
}

fn check_formats(world: &World, params: &Params) -> Result<(), Refusal> {
    let missing = |sub_code, name: &str| Refusal::new(sub_code, format!("缺少{name}参数"));
    let version = params
        .get("version")
        .ok_or_else(|| missing("isv.missing-version", "version"))?;
    if version != "1.0" {
        return Err(Refusal::new("isv.invalid-parameter", "version应为1.0"));
    }
    let charset = params.get("charset").unwrap_or_default();
    if !charset.eq_ignore_ascii_case("utf-8") {
        return Err(Refusal::new("isv.invalid-charset", "字符集错误：沙箱只支持utf-8"));
    }
    if params.get("format").is_some_and(|format| format != "JSON") {
        return Err(Refusal::new("isv.invalid-format", "无效的数据格式：应为JSON"));
    }
    let sign_type = params
        .get("sign_type")
        .ok_or_else(|| missing("isv.missing-signature-type", "sign_type"))?;
    if sign_type != "RSA2" {
        return Err(Refusal::new(
            "isv.invalid-signature-type",
            "无效的签名类型：应为RSA2",
        ));
    }
    check_timestamp(world, params)?;
    match params.get("notify_url") {
        Some(url) if !is_notify_url(url) => {
            let text = "notify_url应为256个字符以内的http或https绝对地址";
            Err(Refusal::new("isv.invalid-parameter", text))
        }
        _ => Ok(()),
    }
}

fn check_timestamp(world: &World, params: &Params) -> Result<(), Refusal> {
    let timestamp = params
        .get("timestamp")
        .ok_or_else(|| Refusal::new("isv.missing-timestamp", "缺少timestamp参数"))?;
    let now_ms = world.clock.wire_ms();
    let close = |at_ms: i64| at_ms.abs_diff(now_ms) <= TOLERANCE_MS.unsigned_abs();
    match beijing::parse_wall(timestamp) {
        Some(at_ms) if close(at_ms) => Ok(()),
        Some(_) => Err(Refusal::new(
            "isv.invalid-timestamp",
            format!(
                "非法的时间戳参数：{timestamp}与服务器的北京时间{}相差超过10分钟",
                beijing::wall(now_ms)
            ),
        )),
        None => Err(Refusal::new(
            "isv.invalid-timestamp",
            "非法的时间戳参数：格式应为yyyy-MM-dd HH:mm:ss",
        )),
    }
}

fn is_notify_url(text: &str) -> bool {
    let url = reqwest::Url::parse(text);
    text.chars().count() <= 256
        && url.is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
}

fn check_certificates(world: &World, params: &Params) -> Result<(), Refusal> {
    if world.config.alipay.key_mode == AlipayKeyMode::Key {
        return Ok(());
    }
    let app_cert_sn = params
        .get("app_cert_sn")
        .ok_or_else(|| Refusal::new("isv.missing-app-cert-sn", "缺少应用公钥证书序列号app_cert_sn"))?;
    let root_cert_sn = params.get("alipay_root_cert_sn").ok_or_else(|| {
        Refusal::new(
            "isv.missing-alipay-root-cert-sn",
            "缺少支付宝根证书序列号alipay_root_cert_sn",
        )
    })?;
    let all = world.credentials();
    let own = &all.alipay;
    let expected = seal::cert_sn(&own.app_certificate);
    if app_cert_sn != expected {
        let text = format!("应用公钥证书不存在：该应用的证书序列号为{expected}");
        return Err(Refusal::new("isv.app-cert-not-exist", text));
    }
    if world.clock.now_ms() >= own.app_certificate.contents().not_after_ms {
        return Err(Refusal::new("isv.app-cert-expired", "应用公钥证书已过期"));
    }
    let expected = seal::root_cert_sn(own);
    if root_cert_sn != expected {
        let text = format!("支付宝根证书序列号有误，应为{expected}");
        return Err(Refusal::new("isv.invalid-alipay-root-cert-sn", text));
    }
    Ok(())
}

fn check_signature(world: &World, params: &Params) -> Result<(), Refusal> {
    let sign = params
        .get("sign")
        .ok_or_else(|| Refusal::new("isv.missing-signature", "缺少签名参数"))?;
    let signed = params.signed_text();
    let app_key = world.credentials().alipay.app.public().clone();
    if keys::verify(&app_key, signed.as_bytes(), sign) {
        return Ok(());
    }
    // As at Alipay, the text the gateway verified comes last, so that a client can be compared with it.
    Err(Refusal::new(
        "isv.invalid-signature",
        format!(
            "验签出错，建议检查签名字符串或签名私钥与应用公钥是否匹配，网关生成的验签字符串为：{}",
            escape_html(&signed)
        ),
    ))
}

/// The plain `biz_content`. An app with content encryption must use it, an app without cannot.
fn decrypted(world: &World, params: &Params) -> Result<Option<String>, Refusal> {
    let biz_content = params.get("biz_content");
    match (world.config.alipay.encrypted, params.get("encrypt_type")) {
        (false, None) => Ok(biz_content.map(str::to_owned)),
        (false, Some(_)) => Err(Refusal::new(
            "isv.missing-encrypt-key",
            "应用未配置接口内容加密密钥",
        )),
        (true, None) => Err(Refusal::new(
            "isv.decryption-error-missing-encrypt-type",
            "应用已开启接口内容加密，缺少encrypt_type参数",
        )),
        (true, Some("AES")) => {
            let key = world.credentials().alipay.encrypt_key.clone();
            let failed = || Refusal::new("isv.decryption-error-unknown", "解密出错：请检查密钥与密文");
            let plain = |sealed: &str| cipher::decrypt(&key, sealed).ok_or_else(failed);
            biz_content.map(plain).transpose()
        }
        (true, Some(_)) => Err(Refusal::new(
            "isv.invalid-encrypt-type",
            "无效的加密类型：应为AES",
        )),
    }
}

fn escape_html(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('"', "&quot;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_absolute_web_addresses_get_notices() {
        assert!(is_notify_url("http://127.0.0.1:8080/notify?a=b"));
        assert!(!is_notify_url("/notify"));
        assert!(!is_notify_url("ftp://example.com/"));
        assert!(!is_notify_url(&format!(
            "https://example.com/{}",
            "a".repeat(256)
        )));
    }

    #[test]
    fn what_html_reads_is_escaped() {
        assert_eq!(
            escape_html(r#"a=1&b={"c":"<d>"}"#),
            "a=1&amp;b={&quot;c&quot;:&quot;&lt;d&gt;&quot;}"
        );
    }
}
