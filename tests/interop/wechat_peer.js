// wechatpay-axios-plugin as a client of the sandbox, and as a judge of our adapter's requests.
const assert = require('node:assert/strict');
const fs = require('node:fs');
const { generateKeyPairSync } = require('node:crypto');
const http = require('node:http');
const path = require('node:path');
const { Wechatpay, Formatter, Rsa, Aes } = require('wechatpay-axios-plugin');

const [folder, mode] = process.argv.slice(2);
const kit = JSON.parse(fs.readFileSync(path.join(folder, 'kit.json'), 'utf8')).wechat;
let failed = 0;

async function check(name, test) {
  try {
    await test();
    console.log(`ok - wechat: ${name}`);
  } catch (error) {
    failed += 1;
    const answer = error.response ? ` ${JSON.stringify(error.response.data)}` : '';
    console.log(`not ok - wechat: ${name}: ${error.message}${answer}`);
  }
}

// Waits for one request and answers it with `status`.
function listen(status) {
  return new Promise((ready) => {
    let arrived;
    const request = new Promise((resolve) => { arrived = resolve; });
    const server = http.createServer((incoming, answer) => {
      const chunks = [];
      incoming.on('data', (chunk) => chunks.push(chunk));
      incoming.on('end', () => {
        answer.writeHead(status).end();
        arrived({ method: incoming.method, url: incoming.url, headers: incoming.headers, body: Buffer.concat(chunks).toString() });
      });
    });
    server.listen(0, '127.0.0.1', () => ready({ port: server.address().port, request, close: () => server.close() }));
  });
}

function within(seconds, promise, what) {
  let timer;
  const late = new Promise((_, reject) => { timer = setTimeout(() => reject(new Error(`no ${what} in ${seconds} s`)), seconds * 1000); });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

function client(certs) {
  return new Wechatpay({ mchid: kit.mchid, serial: kit.serial_no, privateKey: kit.private_key, certs, baseURL: kit.base_url });
}

async function life(wxpay, certs, prefix, headers) {
  const notify = await listen(200);
  const mchid = kit.mchid;
  const order = (out_trade_no, total) => ({
    mchid, appid: kit.appid, description: '日常保洁', out_trade_no,
    notify_url: `http://127.0.0.1:${notify.port}/notify`, amount: { total, currency: 'CNY' },
  });
  const paid = `${prefix}paid`;
  let codeUrl;
  const query = async (number) => (await wxpay.v3.pay.transactions.outTradeNo.$number$.get({ number, params: { mchid }, headers })).data;

  await check(`${prefix} places`, async () => {
    const { status, data } = await wxpay.v3.pay.transactions.native.post(order(paid, 1990), { headers });
    assert.equal(status, 200);
    codeUrl = data.code_url;
  });
  await check(`${prefix} queries an unpaid order`, async () => assert.equal((await query(paid)).trade_state, 'NOTPAY'));
  await check(`${prefix} verifies and opens a notice`, async () => {
    const response = await fetch(`${codeUrl}/pay`, { method: 'POST', headers: { accept: 'application/json' } });
    assert.ok(response.ok, `the pay page answered ${response.status}`);
    const { headers: signed, body } = await within(10, notify.request, 'notice');
    const message = Formatter.response(signed['wechatpay-timestamp'], signed['wechatpay-nonce'], body);
    const key = certs[signed['wechatpay-serial']];
    assert.ok(key, `signed with the unknown key ${signed['wechatpay-serial']}`);
    assert.ok(Rsa.verify(message, signed['wechatpay-signature'], Rsa.from(key, Rsa.KEY_TYPE_PUBLIC)));
    assert.ok(!Rsa.verify(`${message} `, signed['wechatpay-signature'], Rsa.from(key, Rsa.KEY_TYPE_PUBLIC)));
    const { nonce, associated_data: aad, ciphertext } = JSON.parse(body).resource;
    const fact = JSON.parse(Aes.AesGcm.decrypt(ciphertext, kit.apiv3_key, nonce, aad));
    assert.deepEqual([fact.out_trade_no, fact.trade_state, fact.amount.total], [paid, 'SUCCESS', 1990]);
  });
  notify.close();
  await check(`${prefix} queries a paid order`, async () => assert.equal((await query(paid)).trade_state, 'SUCCESS'));
  await check(`${prefix} refunds and queries the refund`, async () => {
    const refund = { out_trade_no: paid, out_refund_no: `${paid}r`, amount: { refund: 990, total: 1990, currency: 'CNY' } };
    const { data } = await wxpay.v3.refund.domestic.refunds.post(refund, { headers });
    assert.equal(data.status, 'PROCESSING');
    const asked = await wxpay.v3.refund.domestic.refunds.$number$.get({ number: `${paid}r`, headers });
    assert.deepEqual([asked.data.out_refund_no, asked.data.amount.refund], [`${paid}r`, 990]);
  });
  await check(`${prefix} closes an unpaid order`, async () => {
    const number = `${prefix}closed`;
    await wxpay.v3.pay.transactions.native.post(order(number, 1), { headers });
    const { status } = await wxpay.v3.pay.transactions.outTradeNo.$number$.close.post({ mchid }, { number, headers });
    assert.equal(status, 204);
    assert.equal((await query(number)).trade_state, 'CLOSED');
  });
}

// Merchants without a public key learn the platform's certificate this way.
async function downloads(wxpay) {
  await check('cert downloads and opens the platform certificate', async () => {
    const { data } = await wxpay.v3.certificates.get();
    const { encrypt_certificate: sealed } = data.data.find((one) => one.serial_no === kit.platform_serial_no);
    const opened = Aes.AesGcm.decrypt(sealed.ciphertext, kit.apiv3_key, sealed.nonce, sealed.associated_data);
    assert.equal(opened.trim(), kit.platform_certificate.trim());
  });
}

async function asClient() {
  const certs = mode === 'cert'
    ? { [kit.platform_serial_no]: kit.platform_certificate }
    : { [kit.public_key_id]: kit.public_key };
  const headers = mode === 'cert' ? {} : { 'Wechatpay-Serial': kit.public_key_id };
  await life(client(certs), certs, mode, headers);
  if (mode === 'cert') await downloads(client(certs));
  await check(`${mode} refuses an answer of another signer`, async () => {
    // The right id beside a wrong key: shows that the checks above did verify the sandbox's answers.
    const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048, publicKeyEncoding: { type: 'spki', format: 'pem' }, privateKeyEncoding: { type: 'pkcs8', format: 'pem' } });
    const doubtful = client(Object.fromEntries(Object.keys(certs).map((id) => [id, publicKey])));
    const call = doubtful.v3.pay.transactions.outTradeNo.$number$.get({ number: `${mode}paid`, params: { mchid: kit.mchid }, headers });
    await assert.rejects(call, (error) => error.code === 'EV3_RES_HEADER_SIGNATURE_DIGEST');
  });
  await check(`${mode} is refused with a foreign key`, async () => {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const stranger = new Wechatpay({ mchid: kit.mchid, serial: kit.serial_no, privateKey, certs, baseURL: kit.base_url });
    const call = stranger.v3.pay.transactions.outTradeNo.$number$.get({ number: 'x12345', params: { mchid: kit.mchid } });
    await assert.rejects(call, (error) => error.response.status === 401 && error.response.data.code === 'SIGN_ERROR');
  });
}

// `trade serve` signs a request to the port given; the peer verifies it with the merchant's certificate.
async function asJudge() {
  const server = await listen(500);
  fs.writeFileSync(path.join(folder, 'capture.port'), String(server.port));
  await check('accepts what our adapter signs', async () => {
    const { method, url: target, headers, body } = await within(60, server.request, 'request');
    const field = (name) => headers.authorization.match(new RegExp(`${name}="([^"]*)"`))[1];
    assert.ok(headers.authorization.startsWith('WECHATPAY2-SHA256-RSA2048 '));
    assert.deepEqual([field('mchid'), field('serial_no')], [kit.mchid, kit.serial_no]);
    const message = Formatter.request(method, target, field('timestamp'), field('nonce_str'), body);
    const key = Rsa.from(kit.certificate, Rsa.KEY_TYPE_PUBLIC);
    assert.ok(Rsa.verify(message, field('signature'), key));
    assert.ok(!Rsa.verify(message.replace('1990', '1'), field('signature'), key));
  });
  server.close();
}

(mode === 'capture' ? asJudge() : asClient()).then(() => process.exit(failed ? 1 : 0), (error) => {
  console.log(`not ok - wechat: ${error.stack}`);
  process.exit(1);
});
