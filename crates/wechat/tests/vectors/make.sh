#!/bin/sh
# Made every file beside this one. The tests read the files; nothing runs this script.
#
# None of this uses the crate under test: signatures are the OpenSSL command's (3.0.19), AES-256-GCM is that
# of Python's `cryptography` (48.0.0). The keys are those of trade-crypto's vectors: `key_pkcs8.pem` is the
# merchant's, `other_pkcs8.pem` is WeChat Pay's. RSA PKCS#1 v1.5 is deterministic: a new run makes the same
# files as long as the keys are the same.
set -eu
cd "$(dirname "$0")"
keys=../../../trade-crypto/tests/vectors
now=1790000000
nonce=000102030405060708090a0b0c0d0e0f

sign() { openssl dgst -sha256 -sign "$keys/$1" "$2" | openssl base64 -A > "$3"; }

# A GET with a query: no body, so the message ends with an empty line.
printf 'GET\n/v3/pay/transactions/out-trade-no/7310000000000000001?mchid=1900000001\n%s\n%s\n\n' \
    "$now" "$nonce" > get.message
sign key_pkcs8.pem get.message get.signature

# A POST whose body has Chinese text.
printf '%s' '{"appid":"wx5a4d000000000001","mchid":"1900000001","description":"日常保洁 2 小时","out_trade_no":"7310000000000000001","time_expire":"2026-09-22T00:13:20+08:00","notify_url":"https://pay.example.com/trade/open/notify/wx/1001","amount":{"total":1990,"currency":"CNY"}}' > place.body
{ printf 'POST\n/v3/pay/transactions/native\n%s\n%s\n' "$now" "$nonce"; cat place.body; printf '\n'; } > place.message
sign key_pkcs8.pem place.message place.signature

# A reply with a body and one without.
printf '%s' '{"code_url":"weixin://wxpay/bizpayurl?pr=KAT0000zz","备注":"无"}' > reply.body
{ printf '%s\nreplynonce\n' "$now"; cat reply.body; printf '\n'; } > reply.message
sign other_pkcs8.pem reply.message reply.signature
printf '%s\nreplynonce\n\n' "$now" > empty.message
sign other_pkcs8.pem empty.message empty.signature

# A notice with its sealed resource.
printf '%s' '{"mchid":"1900000001","appid":"wx5a4d000000000001","out_trade_no":"7310000000000000001","transaction_id":"4200002026092100000000000001","trade_type":"NATIVE","trade_state":"SUCCESS","trade_state_desc":"支付成功","bank_type":"OTHERS","attach":"","success_time":"2026-09-21T22:13:18+08:00","payer":{"openid":"oKAT0001"},"amount":{"total":1990,"payer_total":1890,"currency":"CNY","payer_currency":"CNY"}}' > notice.plain
python3 - <<'PY'
import base64, json
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
plain = open("notice.plain", "rb").read()
sealed = AESGCM(b"0123456789abcdef0123456789abcdef").encrypt(b"kat-nonce-12", plain, b"transaction")
body = {
    "id": "EV-2026092122131800001", "create_time": "2026-09-21T22:13:18+08:00",
    "resource_type": "encrypt-resource", "event_type": "TRANSACTION.SUCCESS", "summary": "支付成功",
    "resource": {
        "original_type": "transaction", "algorithm": "AEAD_AES_256_GCM",
        "ciphertext": base64.b64encode(sealed).decode(), "associated_data": "transaction",
        "nonce": "kat-nonce-12",
    },
}
open("notice.body", "wb").write(json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode())
PY
{ printf '%s\nnoticenonce\n' "$now"; cat notice.body; printf '\n'; } > notice.message
sign other_pkcs8.pem notice.message notice.signature

# The list of platform certificates with one in it.
printf 'GET\n/v3/certificates\n%s\n%s\n\n' "$now" "$nonce" > list.message
sign key_pkcs8.pem list.message list.request.signature
python3 - "$keys/other.pem" <<'PY'
import base64, json, sys
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
pem = open(sys.argv[1], "rb").read()
sealed = AESGCM(b"0123456789abcdef0123456789abcdef").encrypt(b"kat-list-012", pem, b"certificate")
body = {"data": [{
    "serial_no": "F0E1D2C3B4A5968778695A4B3C2D1E0F00112233",
    "effective_time": "2024-02-29T20:00:00+08:00", "expire_time": "2038-02-28T20:34:56+08:00",
    "encrypt_certificate": {
        "algorithm": "AEAD_AES_256_GCM", "nonce": "kat-list-012", "associated_data": "certificate",
        "ciphertext": base64.b64encode(sealed).decode(),
    },
}]}
open("list.body", "wb").write(json.dumps(body, separators=(",", ":")).encode())
PY
{ printf '%s\nlistnonce\n' "$now"; cat list.body; printf '\n'; } > list.message
sign other_pkcs8.pem list.message list.signature

rm -f ./*.message
