//! Why a signature of ours was refused, in words for the person who has to find out.

use serde_json::Value;

/// What is signed, in order; see [`crate::sign::message`].
const ITEMS: [&str; 5] = ["method", "path and query", "timestamp", "nonce", "body"];
const BODY: usize = 4;
/// So much of a differing item is shown.
const SHOWN: usize = 120;
const KEY: &str = "the serial is not that of private_key's certificate, the key is of another mchid, or this \
                   machine's clock is more than five minutes off";

/// WeChat Pay tells what it verified, cut at some length, and how long it was in bytes: where that differs
/// from what was signed is the cause.
pub(crate) fn refused_signature(detail: &Value, signed: &str) -> String {
    let information = detail.get("sign_information");
    let field = |name| information.and_then(|information| information.get(name));
    let Some(theirs) = field("truncated_sign_message").and_then(Value::as_str) else {
        return KEY.to_owned();
    };
    let length = field("sign_message_length")
        .and_then(Value::as_u64)
        .and_then(|length| usize::try_from(length).ok());
    difference(theirs, length, signed)
        .unwrap_or_else(|| format!("what was signed is what WeChat Pay verified, so the key is wrong: {KEY}"))
}

fn difference(theirs: &str, length: Option<usize>, ours: &str) -> Option<String> {
    let whole = length == Some(theirs.len()) && !theirs.ends_with("...");
    let theirs = if whole {
        theirs
    } else {
        theirs.trim_end_matches("...")
    };
    let mut shown = theirs.splitn(ITEMS.len(), '\n').peekable();
    for ((index, item), ours) in ITEMS.iter().enumerate().zip(ours.splitn(ITEMS.len(), '\n')) {
        let Some(theirs) = shown.next() else { break };
        // Only the last item that is shown can be cut.
        let cut = !whole && shown.peek().is_none();
        let same = if cut {
            ours.starts_with(theirs)
        } else {
            ours == theirs
        };
        if !same {
            return Some(told(index, item, theirs, ours));
        }
    }
    match length {
        Some(length) if length != ours.len() => Some(format!(
            "WeChat Pay verified a message of {length} bytes, {} were signed: something in between (a proxy, a \
             firewall) changes the body",
            ours.len()
        )),
        Some(_) | None => None,
    }
}

fn told(index: usize, item: &str, theirs: &str, ours: &str) -> String {
    let cause = "something in between (a proxy, a firewall, a base_url with a path) changes requests";
    if index < BODY {
        let (theirs, ours) = (bounded(theirs), bounded(ours));
        return format!(
            "WeChat Pay verified another {item} than was signed, `{theirs}` and not `{ours}`: {cause}"
        );
    }
    // Bodies hold what is nobody's business in a log.
    let how = if theirs.trim().is_empty() {
        "an empty body"
    } else {
        "another body"
    };
    format!("WeChat Pay verified {how}, not the one that was signed: {cause}")
}

fn bounded(text: &str) -> String {
    text.chars().take(SHOWN).flat_map(char::escape_debug).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const SIGNED: &str = "POST\n/v3/pay?a=1\n1790000000\n0123\n{\"description\":\"日常\nsecret\"}\n";

    fn hint(message: &str, length: Option<usize>) -> String {
        let mut detail = json!({"sign_information": {"truncated_sign_message": message}});
        if let Some(length) = length {
            detail["sign_information"]["sign_message_length"] = json!(length);
        }
        refused_signature(&detail, SIGNED)
    }

    #[test]
    fn the_item_that_differs_is_named() {
        for (changed, item) in [
            (SIGNED.replace("POST", "PUT"), "method"),
            (SIGNED.replace("?a=1", ""), "`/v3/pay` and not `/v3/pay?a=1`"),
            (SIGNED.replace("/v3", "/wx/v3"), "path and query"),
            (SIGNED.replace("1790000000", "1790000001"), "timestamp"),
            (SIGNED.replace("0123", "0124"), "nonce"),
            (SIGNED.replace("日常", "\\u65e5"), "another body"),
            (
                "POST\n/v3/pay?a=1\n1790000000\n0123\n\n".to_owned(),
                "an empty body",
            ),
        ] {
            let hint = hint(&changed, Some(changed.len()));
            assert!(hint.contains(item) && hint.contains("proxy"), "{item}: {hint}");
            assert!(!hint.contains("secret"), "{hint}");
        }
    }

    #[test]
    fn a_cut_message_is_compared_as_far_as_it_goes() {
        for length in [1, 8, 20, 30, SIGNED.len() - 3] {
            let Some(shown) = SIGNED.get(..length) else {
                continue;
            };
            for ending in ["", "..."] {
                let hint = hint(&format!("{shown}{ending}"), Some(SIGNED.len()));
                assert!(hint.contains("the key is wrong"), "{length}: {hint}");
            }
        }
        assert!(hint(SIGNED, None).contains("the key is wrong"));
        let longer = hint("POST\n/v3/pay?a=1\n17900", Some(SIGNED.len() + 12));
        assert!(
            longer.contains(&format!("{} bytes", SIGNED.len() + 12)),
            "{longer}"
        );
    }

    #[test]
    fn without_the_message_the_usual_causes_are_named() {
        for detail in [
            json!(null),
            json!({"sign_information": 7}),
            json!({"issue": "sign not match"}),
        ] {
            assert_eq!(refused_signature(&detail, SIGNED), KEY);
        }
    }
}
