// Messages one by one and in batches, and reading them again.  k6 run bench/k6/api.js
import { check } from 'k6';
import http from 'k6/http';
import exec from 'k6/execution';
import { Counter } from 'k6/metrics';
import { arriving, body, checkAnswer, headers, need, settings } from './shared.js';

need('RECADO_API_KEY');
if (!settings.account) throw new Error('Set LOAD_ACCOUNT to a channel account that reaches nobody.');

const accepted = new Counter('messages_accepted');
const refused = new Counter('messages_refused');

export const options = {
  scenarios: {
    one: arriving('one', settings.rate),
    batch: arriving('batch', settings.rate / 20),
    read: arriving('read', settings.rate / 5),
  },
  thresholds: {
    'http_req_failed{scenario:one}': ['rate<0.01'],
    'http_req_duration{scenario:one}': ['p(95)<250', 'p(99)<1000'],
    'http_req_duration{scenario:batch}': ['p(95)<2000'],
    'http_req_duration{scenario:read}': ['p(95)<500'],
    checks: ['rate>0.99'],
    messages_refused: ['count==0'],
    dropped_iterations: ['count==0'],
  },
};

// Other people each time: one conversation is no faster than its provider.
function message() {
  const person = exec.scenario.iterationInTest % 100000;
  return {
    account_id: settings.account,
    to: `+55119${String(10000000 + person)}`,
    text: `Load test ${exec.scenario.name} ${exec.scenario.iterationInTest}`,
    reference: 'load-test',
  };
}

function unique() {
  return `load-${__ENV.LOAD_RUN || Date.now()}-${exec.scenario.name}-${exec.scenario.iterationInTest}`;
}

export function one() {
  const answer = http.post(`${settings.url}/v1/messages`, JSON.stringify(message()), {
    headers: { ...headers(), 'Idempotency-Key': unique() },
    tags: { name: 'POST /v1/messages' },
  });
  if (checkAnswer(answer, 202, 'message')) accepted.add(1);
}

export function batch() {
  const messages = Array.from({ length: settings.batch }, (_, index) => {
    const given = message();
    return { ...given, to: `+55119${String(20000000 + (exec.scenario.iterationInTest * 1000 + index) % 9000000)}` };
  });
  const answer = http.post(`${settings.url}/v1/messages/batch`, JSON.stringify({ messages }), {
    headers: { ...headers(), 'Idempotency-Key': unique() },
    tags: { name: 'POST /v1/messages/batch' },
  });
  if (!checkAnswer(answer, 202, 'batch')) return;
  const told = body(answer);
  accepted.add(told.accepted.length);
  refused.add(told.refused.length);
}

export function read() {
  const list = http.get(`${settings.url}/v1/messages?reference=load-test&limit=20`, {
    headers: headers(),
    tags: { name: 'GET /v1/messages' },
  });
  if (!checkAnswer(list, 200, 'list')) return;
  const [first] = body(list).data;
  if (!first) return;
  const events = http.get(`${settings.url}/v1/messages/${first.id}/events`, {
    headers: headers(),
    tags: { name: 'GET /v1/messages/{id}/events' },
  });
  checkAnswer(events, 200, 'events');
  check(events, { 'events: the first one is there': (it) => (body(it).data || []).some(({ kind }) => kind === 'queued') });
}
