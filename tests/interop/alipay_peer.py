"""python-alipay-sdk as a client of the sandbox, and as a judge of our adapter's requests."""

import base64
import json
import os
import sys
import threading
import time
import urllib.parse
import urllib.request
from http.server import BaseHTTPRequestHandler, HTTPServer

# The peer writes the machine's local time where Alipay wants Beijing's.
os.environ["TZ"] = "Asia/Shanghai"
time.tzset()

from Cryptodome.PublicKey import RSA  # noqa: E402

from alipay import AliPay, DCAliPay  # noqa: E402
from alipay.exceptions import AliPayValidationError  # noqa: E402

FOLDER, MODE = sys.argv[1:3]
with open(os.path.join(FOLDER, "kit.json"), encoding="utf-8") as file:
    KIT = json.load(file)["alipay"]
FAILED = []


def pem(kind, text):
    """The base64 line of Alipay's key tool as PEM, which the peer wants."""
    lines = [text[i : i + 64] for i in range(0, len(text), 64)]
    return "\n".join([f"-----BEGIN {kind}-----", *lines, f"-----END {kind}-----"])


def check(name, test):
    try:
        test()
        print(f"ok - alipay: {name}", flush=True)
    except Exception as error:  # noqa: BLE001 - every failure is reported and counted
        FAILED.append(name)
        print(f"not ok - alipay: {name}: {error!r}", flush=True)


def expect(got, wanted):
    assert got == wanted, f"{got!r} is not {wanted!r}"


class Listener:
    """Keeps the requests that come, and answers each with `status` and `body`."""

    def __init__(self, status, body):
        listener = self
        self.seen = []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):  # noqa: N802 - the name the library calls
                text = self.rfile.read(int(self.headers["content-length"])).decode()
                listener.seen.append((self.path, text))
                self.send_response(status)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def first(self, seconds):
        for _ in range(seconds * 20):
            if self.seen:
                return self.seen[0]
            time.sleep(0.05)
        raise AssertionError(f"nothing came in {seconds} s")


def client():
    common = {"appid": KIT["app_id"], "app_notify_url": None, "sign_type": "RSA2"}
    common["app_private_key_string"] = pem("PRIVATE KEY", KIT["app_private_key"])
    if MODE == "cert":
        made = DCAliPay(
            app_public_key_cert_string=KIT["app_certificate"],
            alipay_public_key_cert_string=KIT["alipay_certificate"],
            alipay_root_cert_string=KIT["alipay_root_certificates"],
            **common,
        )
    else:
        made = AliPay(alipay_public_key_string=pem("PUBLIC KEY", KIT["alipay_public_key"]), **common)
    made._gateway = KIT["gateway_url"]
    return made


def pay(code):
    request = urllib.request.Request(f"{code}/pay", method="POST", headers={"accept": "application/json"})
    urllib.request.urlopen(request, timeout=10).close()


def verify_notice(alipay, text, paid):
    fields = dict(urllib.parse.parse_qsl(text, keep_blank_values=True))
    sign = fields.pop("sign")
    assert alipay.verify(dict(fields), sign), "the peer refuses the genuine notice"
    forged = dict(fields, total_amount="0.01")
    assert not alipay.verify(forged, sign), "the peer takes a forged notice"
    expect((fields["out_trade_no"], fields["trade_status"], fields["total_amount"]), (paid, "TRADE_SUCCESS", "19.90"))


def as_client():
    alipay, notices = client(), Listener(200, b"success")
    paid, url, codes = f"{MODE}_paid", f"http://127.0.0.1:{notices.port}/notify", {}

    def place():
        answer = alipay.api_alipay_trade_precreate("日常保洁", paid, "19.90", notify_url=url)
        expect(answer["code"], "10000")
        codes["paid"] = answer["qr_code"]

    def pay_and_verify():
        pay(codes["paid"])
        verify_notice(alipay, notices.first(10)[1], paid)

    def refund():
        answer = alipay.api_alipay_trade_refund("9.90", out_trade_no=paid, out_request_no="r1")
        expect((answer["code"], answer["fund_change"]), ("10000", "Y"))
        asked = alipay.api_alipay_trade_fastpay_refund_query("r1", out_trade_no=paid)
        expect((asked["refund_amount"], asked["refund_status"]), ("9.90", "REFUND_SUCCESS"))

    def close():
        number = f"{MODE}_closed"
        code = alipay.api_alipay_trade_precreate("日常保洁", number, "0.01")["qr_code"]
        expect(alipay.api_alipay_trade_close(out_trade_no=number)["sub_code"], "ACQ.TRADE_NOT_EXIST")
        urllib.request.urlopen(code, timeout=10).close()
        expect(alipay.api_alipay_trade_close(out_trade_no=number)["code"], "10000")

    def forged():
        stranger = client()
        stranger._app_private_key = RSA.generate(2048)
        answer = stranger.api_alipay_trade_query(out_trade_no=paid)
        expect(answer["sub_code"], "isv.invalid-signature")

    def doubt():
        """Shows that the peer did verify the answers above."""
        doubtful = client()
        doubtful._alipay_public_key = RSA.generate(2048).publickey()
        try:
            doubtful.api_alipay_trade_query(out_trade_no=paid)
        except AliPayValidationError:
            return
        raise AssertionError("the peer takes an answer of another signer")

    check(f"{MODE} places", place)
    check(f"{MODE} queries an unscanned order", lambda: expect(
        alipay.api_alipay_trade_query(out_trade_no=paid)["sub_code"], "ACQ.TRADE_NOT_EXIST"))
    check(f"{MODE} verifies a notice", pay_and_verify)
    check(f"{MODE} queries a paid order", lambda: expect(
        alipay.api_alipay_trade_query(out_trade_no=paid)["trade_status"], "TRADE_SUCCESS"))
    check(f"{MODE} refunds and queries the refund", refund)
    check(f"{MODE} closes a scanned order", close)
    check(f"{MODE} refuses an answer of another signer", doubt)
    check(f"{MODE} is refused with a foreign key", forged)


def as_judge():
    """`trade serve` signs a request to the port given; the peer verifies it with the app's own key."""
    server = Listener(500, b"")
    with open(os.path.join(FOLDER, "capture.port"), "w", encoding="utf-8") as file:
        file.write(str(server.port))

    def judge():
        path, body = server.first(60)
        fields = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(path).query))
        fields.update(urllib.parse.parse_qsl(body))
        sign = fields.pop("sign")
        judge = client()
        judge._alipay_public_key = judge.app_private_key.publickey()
        message = "&".join(f"{key}={fields[key]}" for key in sorted(fields))
        assert judge._verify(message, sign), "the peer refuses our signature"
        assert not judge._verify(message.replace("19.90", "0.01"), sign), "the peer verifies nothing"
        expect(json.loads(fields["biz_content"])["total_amount"], "19.90")
        expect(len(base64.b64decode(sign)), 256)

    check("accepts what our adapter signs", judge)


as_judge() if MODE == "capture" else as_client()
sys.exit(1 if FAILED else 0)
