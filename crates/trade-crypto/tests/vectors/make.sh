#!/bin/sh
# Made every file beside this one, once, on 2026-11-23. The tests read the files; nothing runs this script.
#
# None of this uses the crate under test:
#   keys, certificates, serials, signatures, RSA-OAEP, AES-CBC   the OpenSSL command, 3.0.19
#   serials of Alipay                                            openssl + md5sum
#   AES-256-GCM (the OpenSSL command has none)                   Python's `cryptography` 48.0.0
#   a certificate with a non-conformant algorithm                Python, by rewriting DER
#   an OpenSSH key                                               ssh-keygen
#
# A new run makes new keys and so replaces every file. The keys guard nothing.
set -eu
cd "$(dirname "$0")"
find . -type f ! -name make.sh -delete
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# --- keys ---

openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out key_pkcs8.pem
openssl rsa -in key_pkcs8.pem -traditional -out key_pkcs1.pem
openssl rsa -in key_pkcs8.pem -pubout -out public_spki.pem
openssl rsa -in key_pkcs8.pem -RSAPublicKey_out -out public_pkcs1.pem
openssl pkcs8 -in key_pkcs8.pem -topk8 -nocrypt -outform DER -out key_pkcs8.der
# SHA-256 of the SPKI DER, its first 16 digits.
openssl pkey -in key_pkcs8.pem -pubout -outform DER | sha256sum | cut -c 1-16 > public.fingerprint

openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out other_pkcs8.pem
openssl rsa -in other_pkcs8.pem -pubout -out other_public.pem

# What has to be refused by its name.
openssl pkcs8 -topk8 -in key_pkcs8.pem -passout pass:secret -out refused_encrypted_pkcs8.pem
openssl rsa -in key_pkcs8.pem -traditional -aes128 -passout pass:secret -out refused_encrypted_pkcs1.pem
openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:1024 -out refused_1024.pem
openssl rsa -in refused_1024.pem -pubout -out refused_1024_public.pem
openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:5120 -out refused_5120.pem
openssl ecparam -name prime256v1 -genkey -out refused_ec_sec1.pem
openssl pkcs8 -topk8 -nocrypt -in refused_ec_sec1.pem -out refused_ec_pkcs8.pem
openssl ec -in refused_ec_sec1.pem -pubout -out refused_ec_public.pem
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:SM2 -out refused_sm2.pem
openssl genpkey -algorithm ED25519 -out refused_ed25519.pem
openssl genpkey -algorithm RSA-PSS -pkeyopt rsa_keygen_bits:2048 -out refused_rsa_pss.pem
openssl req -new -key key_pkcs8.pem -subj /CN=request -out refused_request.pem
ssh-keygen -q -t rsa -b 2048 -N '' -C '' -f "$work/ssh"
cp "$work/ssh" refused_openssh.txt

# --- certificates ---

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
[authority_without_right]
basicConstraints = critical, CA:TRUE
keyUsage = critical, digitalSignature
[end]
basicConstraints = CA:FALSE
keyUsage = digitalSignature
[none]
[req]
distinguished_name = name
[name]
CNF
: > "$work/index.txt"


# issue OUT SUBJECT SERIAL KEY ISSUER_KEY ISSUER_CERT|- SECTION END DIGEST
issue() {
    printf '%s\n' "$3" > "$work/serial"
    openssl req -new -utf8 -config "$work/ca.cnf" -key "$4" -subj "$2" -out "$work/request.pem"
    if [ "$6" = - ]; then set -- "$@" -selfsign -keyfile "$4"; else set -- "$@" -keyfile "$5" -cert "$6"; fi
    out=$1 section=$7 end=$8 digest=$9
    shift 9
    openssl ca -batch -notext -utf8 -preserveDN -config "$work/ca.cnf" -in "$work/request.pem" "$@" \
        -startdate 20240229120000Z -enddate "$end" -extensions "$section" -md "$digest" -out "$out" \
        2> "$work/log" || { cat "$work/log" >&2; exit 1; }
}
rsa_key() { openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:"$2" -out "$1" 2> /dev/null; }

rsa_key "$work/root.key" 4096
rsa_key "$work/old_root.key" 2048
rsa_key "$work/middle.key" 2048
rsa_key "$work/weak.key" 1024
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384 -out "$work/ec_root.key"
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:SM2 -out "$work/sm2_root.key"

late=20380228123456Z
# Names that are not ASCII, a serial of 20 bytes, one that begins with the digit 0 and one whose highest bit
# is set: each has misled some implementation.
issue root.pem '/C=CN/O=示例金融/OU=Certification Authority/CN=示例金融 Root R1' \
    1FCFBC59F1B2E7A9 "$work/root.key" "" - authority "$late" sha256
issue root_sha1.pem '/C=CN/O=iSample/OU=Sample Trust Network/CN=Sample Class 2 Root CA-G3' \
    59A32C58F5E2A1B3C4D5E6F708192A3B4C5D6E7F "$work/old_root.key" "" - authority "$late" sha1
issue root_ec.pem '/C=CN/O=示例金融/OU=Certification Authority/CN=示例金融 Root E1' \
    1FCFBC59F1B2E7AA "$work/ec_root.key" "" - authority "$late" sha384
issue root_sm2.pem '/C=CN/O=NRCAC/CN=ROOTCA' \
    69E2FEC0170AC67B "$work/sm2_root.key" "" - authority "$late" sm3
issue middle.pem '/C=CN/O=示例金融/OU=Certification Authority/CN=示例金融 Class 2 R1' \
    2017 "$work/middle.key" "$work/root.key" root.pem authority "$late" sha256
issue app.pem '/C=CN/O=样例, "公司" \+ 合伙/OU=Alipay/CN=样例科技有限公司-2021000000000001' \
    0A1B2C3D4E5F60718293A4B5C6D7E8F901234567 key_pkcs8.pem "$work/middle.key" middle.pem end "$late" sha256
issue other.pem '/C=CN/O=Tenpay/CN=Tenpay.com sample' \
    F0E1D2C3B4A5968778695A4B3C2D1E0F00112233 other_pkcs8.pem "$work/root.key" root.pem end "$late" sha256
issue expired.pem '/C=CN/CN=expired' \
    03 other_pkcs8.pem "$work/middle.key" middle.pem end 20240301000000Z sha256
issue by_sha1.pem '/C=CN/CN=signed with SHA-1' \
    04 other_pkcs8.pem "$work/old_root.key" root_sha1.pem end "$late" sha1
# Forged: signed by the app's own key, which may not issue.
issue forged.pem '/C=CN/CN=forged' \
    05 other_pkcs8.pem key_pkcs8.pem app.pem end "$late" sha256
# Forged: the name of the real issuer, and another key. Its certificate is made only to carry the name.
issue "$work/impostor.pem" '/C=CN/O=示例金融/OU=Certification Authority/CN=示例金融 Class 2 R1' \
    06 other_pkcs8.pem "" - authority "$late" sha256
issue forged_name.pem '/C=CN/CN=forged by name' \
    07 key_pkcs8.pem other_pkcs8.pem "$work/impostor.pem" end "$late" sha256
# An authority whose key usage does not allow issuing, and a certificate by it.
issue limited.pem '/C=CN/CN=limited' \
    08 other_pkcs8.pem "$work/root.key" root.pem authority_without_right "$late" sha256
issue by_limited.pem '/C=CN/CN=by limited' \
    09 key_pkcs8.pem other_pkcs8.pem limited.pem end "$late" sha256
issue without_extensions.pem '/C=CN/CN=version 1' \
    0A other_pkcs8.pem "" - none "$late" sha256
issue by_without_extensions.pem '/C=CN/CN=by version 1' \
    0B key_pkcs8.pem other_pkcs8.pem without_extensions.pem end "$late" sha256
issue ec.pem '/C=CN/CN=EC key in an RSA signed certificate' \
    0C "$work/ec_root.key" "$work/root.key" root.pem end "$late" sha256
issue weak.pem '/C=CN/CN=1024 bits' \
    0D "$work/weak.key" "$work/root.key" root.pem end "$late" sha256

openssl x509 -in app.pem -outform DER -out app.der
openssl pkcs12 -export -in app.pem -inkey key_pkcs8.pem -passout pass:1900000001 -out refused_archive.p12
# What `openssl pkcs12 -nodes` prints: remarks, the certificate and the key in one file.
openssl pkcs12 -in refused_archive.p12 -passin pass:1900000001 -nodes -out archive.txt 2> /dev/null

# An ECDSA algorithm identifier with a NULL in it, as one certificate of the real bundle has.
openssl x509 -in root_ec.pem -outform DER -out "$work/ec.der"
python3 - "$work/ec.der" > "$work/odd.pem" << 'PY'
import base64, sys

def read(data):
    """Splits DER into (tag, content) pairs."""
    out, at = [], 0
    while at < len(data):
        tag, length, head = data[at], data[at + 1], 2
        if length & 0x80:
            digits = length & 0x7F
            length, head = int.from_bytes(data[at + 2 : at + 2 + digits], "big"), 2 + digits
        out.append((tag, data[at + head : at + head + length]))
        at += head + length
    return out

def write(tag, content):
    if len(content) < 0x80:
        return bytes([tag, len(content)]) + content
    digits = len(content).to_bytes((len(content).bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(digits)]) + digits + content

plain = bytes.fromhex("06082a8648ce3d040303")
def rewrite(tag, content):
    if tag == 0x30 and content == plain:
        content += bytes([5, 0])
    elif tag & 0x20:
        content = b"".join(rewrite(*part) for part in read(content))
    return write(tag, content)

odd = b"".join(rewrite(*part) for part in read(open(sys.argv[1], "rb").read()))
print("-----BEGIN CERTIFICATE-----\n" + base64.encodebytes(odd).decode() + "-----END CERTIFICATE-----")
PY

# The bundle in the order of the real one, with a block that nobody can read in the middle.
{
    cat root_sm2.pem root.pem "$work/odd.pem"
    printf -- '-----BEGIN CERTIFICATE-----\nMIIBdamaged\n-----END CERTIFICATE-----\n'
    cat root_ec.pem root_sha1.pem
} > bundle.crt
cat root_sm2.pem root_ec.pem > bundle_without_rsa.crt

# --- what the certificates say ---

serial() { openssl x509 -in "$1" -noout -serial | cut -d = -f 2; }
name() { openssl x509 -in "$1" -noout "-$2" -nameopt RFC2253,-esc_msb,utf8 | sed "s/^$2=//"; }
epoch_ms() { echo "$(date -u -d "$(openssl x509 -in "$1" -noout "-$2" | cut -d = -f 2)" +%s)000"; }
sn() {
    decimal=$(echo "ibase=16; $(serial "$1")" | BC_LINE_LENGTH=0 bc)
    printf '%s%s' "$(name "$1" issuer)" "$decimal" | md5sum | cut -d ' ' -f 1
}
for certificate in root root_sha1 middle app other expired; do
    {
        serial $certificate.pem
        sn $certificate.pem
        epoch_ms $certificate.pem startdate
        epoch_ms $certificate.pem enddate
        name $certificate.pem subject
        name $certificate.pem issuer
    } > $certificate.facts
done
echo "$(sn root.pem)_$(sn root_sha1.pem)" > bundle.sn

# --- RSA ---

# The message of WeChat Pay's signatures, with text that is not ASCII.
printf 'POST\n/v3/pay/transactions/native?a=%%E4%%B8%%AD\n1554208460\n' > message.txt
printf '593BEC0C930BF1AFEB40B4A08C8FB242\n{"description":"商品 1"}\n\n' >> message.txt
openssl dgst -sha256 -sign key_pkcs8.pem message.txt | base64 -w 0 > message.signature
openssl dgst -sha256 -sign key_pkcs8.pem < /dev/null | base64 -w 0 > empty.signature
openssl dgst -sha1 -sign key_pkcs8.pem message.txt | base64 -w 0 > refused_sha1.signature
openssl dgst -sha256 -sign key_pkcs8.pem -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:-1 message.txt \
    | base64 -w 0 > refused_pss.signature

encrypt() { openssl pkeyutl -encrypt -pubin -inkey public_spki.pem "$@" | base64 -w 0; }
oaep="-pkeyopt rsa_padding_mode:oaep"
printf '张三 6222021234567890' > secret.txt
# shellcheck disable=SC2086
{
    encrypt -in secret.txt $oaep -pkeyopt rsa_oaep_md:sha1 -pkeyopt rsa_mgf1_md:sha1 > secret.oaep
    encrypt -in /dev/null $oaep -pkeyopt rsa_oaep_md:sha1 -pkeyopt rsa_mgf1_md:sha1 > empty.oaep
    encrypt -in secret.txt $oaep -pkeyopt rsa_oaep_md:sha256 -pkeyopt rsa_mgf1_md:sha256 > refused_sha256.oaep
}
encrypt -in secret.txt -pkeyopt rsa_padding_mode:pkcs1 > refused_pkcs1.oaep

# --- AES ---

printf '{"out_trade_no":"T20261123","subject":"大乐透 2.1"}' > content.txt
for bytes in 16 24 32; do
    key=$(openssl rand -hex $bytes)
    echo "$key" | xxd -r -p | base64 -w 0 > content_$bytes.key
    openssl enc -aes-$((bytes * 8))-cbc -K "$key" -iv 00000000000000000000000000000000 -in content.txt \
        | base64 -w 0 > content_$bytes.sealed
done

# Lines: key, nonce, associated data, text, ciphertext with its tag.
python3 - > gcm.txt << 'PY'
import base64
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

for key, nonce, aad, text in [
    ("0123456789abcdefghijklmnopqrstuv", "593BEC0C930B", "transaction",
     '{"trade_state":"SUCCESS","attach":"中文"}'),
    ("ZYXWVUTSRQPONMLKJIHGFEDCBA!@#$%^", "abcdefghijkl", "", "no associated data"),
    ("0123456789abcdefghijklmnopqrstuv", "000000000000", "certificate", ""),
]:
    sealed = AESGCM(key.encode()).encrypt(nonce.encode(), text.encode(), aad.encode())
    for line in key, nonce, aad, text, base64.b64encode(sealed).decode():
        print(line)
PY

chmod 644 ./*.* && chmod 755 make.sh
