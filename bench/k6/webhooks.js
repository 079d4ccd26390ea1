// What a provider calls: people write on WhatsApp, signed as Meta signs.  k6 run bench/k6/webhooks.js
import crypto from 'k6/crypto';
import http from 'k6/http';
import exec from 'k6/execution';
import { arriving, checkAnswer, need, settings } from './shared.js';

// Of the account's credentials; in the demo, SIMULATORS_APP_SECRET of .recado/secrets.env.
const secret = need('LOAD_APP_SECRET');
const phoneNumberId = __ENV.LOAD_PHONE_NUMBER_ID || '100200300400500';
const run = __ENV.LOAD_RUN || `${Date.now()}`;

export const options = {
  scenarios: {
    written: arriving('written', settings.rate),
    twice: arriving('twice', settings.rate / 20),
    forged: arriving('forged', settings.rate / 20),
  },
  thresholds: {
    // A provider takes a slow answer for none, and calls again.
    'http_req_duration{scenario:written}': ['p(95)<500', 'p(99)<2000'],
    checks: ['rate>0.99'],
    dropped_iterations: ['count==0'],
  },
};

function callback() {
  const number = exec.scenario.iterationInTest;
  const person = `55119${30000000 + (number % 2000)}`;
  const message = {
    from: person,
    id: `wamid.load-${run}-${exec.scenario.name}-${number}`,
    timestamp: String(Math.floor(Date.now() / 1000)),
    type: 'text',
    text: { body: `Load test ${number}` },
  };
  const value = {
    messaging_product: 'whatsapp',
    metadata: { display_phone_number: '551130000000', phone_number_id: phoneNumberId },
    contacts: [{ wa_id: person, profile: { name: `Load ${person}` } }],
    messages: [message],
  };
  return JSON.stringify({
    object: 'whatsapp_business_account',
    entry: [{ id: '1', changes: [{ field: 'messages', value }] }],
  });
}

function call(text, key) {
  const signature = crypto.hmac('sha256', key, text, 'hex');
  return http.post(`${settings.url}/v1/hooks/whatsapp_cloud`, text, {
    headers: { 'Content-Type': 'application/json', 'X-Hub-Signature-256': `sha256=${signature}` },
    tags: { name: 'POST /v1/hooks/whatsapp_cloud' },
    responseCallback: http.expectedStatuses(200, 403),
  });
}

export function written() {
  checkAnswer(call(callback(), secret), 200, 'callback');
}

// Providers repeat themselves: the same bytes are answered alike, and count once.
export function twice() {
  const text = callback();
  checkAnswer(call(text, secret), 200, 'callback');
  checkAnswer(call(text, secret), 200, 'the same again');
}

export function forged() {
  checkAnswer(call(callback(), `not ${secret}`), 403, 'forged');
}
