#!/bin/sh
# Made the certificates beside this one, with their keys and serials, once. The tests read the files; nothing
# runs this script.
#
# None of this uses the crate under test: keys and certificates are the OpenSSL command's (3.0.19), serials are
# openssl's and md5sum's. The shape is Alipay's: one root; `Class 1` issues to merchants' apps, `Class 2` to
# Alipay itself. The app's key and Alipay's are those of trade-crypto's vectors. A new run makes new keys of the
# authorities, of `renewed` and of `merchant`, and so replaces every file. The keys guard nothing.
set -eu
cd "$(dirname "$0")"
keys=$(pwd)/../../../trade-crypto/tests/vectors
mkdir -p certificates
cd certificates
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cat > "$work/ca.cnf" <<CNF
[ca]
default_ca = here
[here]
dir = $work
database = $work/index.txt
serial = $work/serial
new_certs_dir = $work
unique_subject = no
policy = any
default_md = sha256
email_in_dn = no
[any]
countryName = optional
organizationName = optional
organizationalUnitName = optional
commonName = supplied
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
[end]
basicConstraints = CA:FALSE
keyUsage = digitalSignature
[req]
distinguished_name = name
[name]
CNF
: > "$work/index.txt"

# issue OUT SUBJECT SERIAL KEY ISSUER_KEY ISSUER_CERT|- SECTION
issue() {
    printf '%s\n' "$3" > "$work/serial"
    openssl req -new -utf8 -config "$work/ca.cnf" -key "$4" -subj "$2" -out "$work/request.pem"
    if [ "$6" = - ]; then set -- "$@" -selfsign -keyfile "$4"; else set -- "$@" -keyfile "$5" -cert "$6"; fi
    out=$1 section=$7
    shift 7
    openssl ca -batch -notext -utf8 -preserveDN -config "$work/ca.cnf" -in "$work/request.pem" "$@" \
        -startdate 20240229120000Z -enddate 20380228123456Z -extensions "$section" -out "$out" \
        2> "$work/log" || { cat "$work/log" >&2; exit 1; }
}
rsa_key() { openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out "$1" 2> /dev/null; }

# serial CERT: md5 of the issuer in RFC 2253 and the number in decimal.
serial() {
    issuer=$(openssl x509 -in "$1" -noout -issuer -nameopt RFC2253,-esc_msb,utf8 | sed 's/^issuer=//')
    number=$(openssl x509 -in "$1" -noout -serial | sed 's/^serial=//')
    decimal=$(python3 -c "print(int('$number', 16))")
    printf '%s%s' "$issuer" "$decimal" | md5sum | cut -c 1-32 | tr -d '\n'
}

for key in root class1 class2; do rsa_key "$work/$key.key"; done
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$work/ec.key"
rsa_key renewed.key
rsa_key merchant.key

authority='/C=CN/O=Sample Financial/OU=Certification Authority/CN=Sample Financial Certification Authority'
seller=2088000000000001
issue "$work/ec.pem" "$authority E1" 07 "$work/ec.key" "" - authority
issue "$work/root.pem" "$authority R1" 1FCFBC59F1B2E7A9 "$work/root.key" "" - authority
issue "$work/class1.pem" "$authority Class 1 R1" 2101 "$work/class1.key" "$work/root.key" "$work/root.pem" authority
issue "$work/class2.pem" "$authority Class 2 R1" 2102 "$work/class2.key" "$work/root.key" "$work/root.pem" authority

# leaf NAME SUBJECT SERIAL KEY CLASS: a file as Alipay hands it out, with the intermediate after it.
leaf() {
    issue "$work/$1.pem" "$2" "$3" "$4" "$work/$5.key" "$work/$5.pem" end
    cat "$work/$1.pem" "$work/$5.pem" > "$1.crt"
    serial "$work/$1.pem" > "$1.sn"
}
alipay="/C=CN/O=支付宝(中国)网络技术有限公司/OU=Alipay/CN=支付宝(中国)网络技术有限公司-$seller"
leaf app "/C=CN/O=示例家政/OU=Alipay/CN=$seller-2021000000000000" 0A1B2C3D4E5F60718293A4B5C6D7E8F901234567 \
    "$keys/key_pkcs8.pem" class1
leaf alipay "$alipay" 2023 "$keys/other_pkcs8.pem" class2
# Its successors: the same key under a new number, as Alipay does it, and a new key.
leaf same_key "$alipay" 2028 "$keys/other_pkcs8.pem" class2
leaf renewed "$alipay" 2033 renewed.key class2
# Some other merchant's app: the same root vouches for it, but not as Alipay.
leaf merchant '/C=CN/O=路人/OU=Alipay/CN=2088000000000666-2021000000000666' 0666 merchant.key class1

# The bundle begins with a certificate that is not RSA and does not count.
cat "$work/ec.pem" "$work/root.pem" > root.crt
serial "$work/root.pem" > root.sn
