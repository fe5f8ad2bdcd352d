#!/bin/sh
# Made every file beside this one. The tests read the files; nothing runs this script.
#
# None of this uses the crate under test: signatures, AES and digests are the OpenSSL command's. The keys are
# those of trade-crypto's vectors: `key_pkcs8.pem` is the app's, `other_pkcs8.pem` is Alipay's. RSA PKCS#1 v1.5
# is deterministic: a new run makes the same files as long as the keys are the same.
set -eu
cd "$(dirname "$0")"
keys=../../../trade-crypto/tests/vectors

# sign KEY: signs the file on standard input, one line of base64 out.
sign() { openssl dgst -sha256 -sign "$keys/$1" | openssl base64 -A; }

biz='{"out_trade_no":"7310000000000000001","total_amount":"19.90","subject":"日常保洁 2 小时","product_code":"FACE_TO_FACE_PAYMENT","time_expire":"2026-09-22 00:13:20"}'
common='charset=utf-8&format=JSON&method=alipay.trade.precreate&notify_url=https://pay.example.com/trade/open/notify/alipay/1001&sign_type=RSA2&timestamp=2026-09-21 22:13:20&version=1.0'

# The request in key mode and in certificate mode.
printf '%s' "app_id=2021000000000000&biz_content=$biz&$common" | sign key_pkcs8.pem > precreate.signature
app_sn=$(sed -n 2p "$keys/app.facts")
root_sn=$(cat "$keys/bundle.sn")
printf '%s' "alipay_root_cert_sn=$root_sn&app_cert_sn=$app_sn&app_id=2021000000000000&biz_content=$biz&$common" |
    sign key_pkcs8.pem > precreate_cert.signature

# Answers: one whose slashes are written \/ but signed plain, and an encrypted one.
printf '%s' '{"code":"10000","msg":"Success","out_trade_no":"7310000000000000001","qr_code":"https://qr.alipay.com/kat"}' |
    sign other_pkcs8.pem > slashes.signature
printf '%s' '{"code":"10000","msg":"Success","out_trade_no":"7310000000000000001","qr_code":"https://qr.alipay.com/aes"}' |
    openssl enc -aes-128-cbc -K 30313233343536373839616263646566 -iv 00000000000000000000000000000000 | openssl base64 -A > sealed.content
{ printf '"'; cat sealed.content; printf '"'; } | sign other_pkcs8.pem > sealed.signature

# Notices: blanks, a plus and Chinese, in UTF-8 and in GBK. What is signed is the text in its own charset.
fields='app_id=2021000000000000&charset=CHARSET&notify_id=kat&out_trade_no=7310000000000000001&seller_id=2088000000000001&subject=日常保洁 a+b=c&total_amount=19.90&trade_no=2026092122001400000000000001&trade_status=TRADE_SUCCESS'
printf '%s' "$fields" | sed s/CHARSET/utf-8/ | sign other_pkcs8.pem > notice_utf8.signature
printf '%s' "$fields" | sed s/CHARSET/GBK/ | iconv -f utf-8 -t gbk | sign other_pkcs8.pem > notice_gbk.signature
# A subject and a body whose letters change when somebody decodes twice, trims, or filters HTML.
odd='app_id=2021000000000000&body= 100%25 & "a" <b> &charset=utf-8&notify_id=kat&out_trade_no=7310000000000000001&seller_id=2088000000000001&subject=a+b%2Bc  d=&total_amount=19.90&trade_no=2026092122001400000000000001&trade_status=TRADE_SUCCESS'
printf '%s' "$odd" | sign other_pkcs8.pem > notice_odd.signature

# A refusal in GBK, as some machines answer: what is signed is the text in GBK. The second byte of one letter is
# a backslash.
printf '%s' '{"code":"40004","msg":"Business Failed","sub_code":"ACQ.TRADE_NOT_EXIST","sub_msg":"交易不存在，以誠為本"}' |
    iconv -f utf-8 -t gbk | sign other_pkcs8.pem > gbk.signature

# With the certificates that `make_certificates.sh` made: a request of their app, and one answer signed by the
# successor of Alipay's key and by another merchant's.
sns="alipay_root_cert_sn=$(cat certificates/root.sn)&app_cert_sn=$(cat certificates/app.sn)"
printf '%s' "$sns&app_id=2021000000000000&biz_content={\"out_trade_no\":\"7310000000000000001\"}&charset=utf-8&format=JSON&method=alipay.trade.query&sign_type=RSA2&timestamp=2026-09-21 22:13:20&version=1.0" |
    sign key_pkcs8.pem > query_cert.signature
answer='{"code":"10000","out_trade_no":"7310000000000000001","trade_no":"T1","trade_status":"TRADE_SUCCESS","total_amount":"19.90"}'
keys=certificates
for key in renewed merchant; do
    printf '%s' "$answer" | sign $key.key > paid_by_$key.signature
done
