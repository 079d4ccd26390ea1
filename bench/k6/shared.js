// What the load tests share: where to, as whom, how much, and what every answer has to be like.
// docs/load-tests.md says how to run them and how to read what they print.
import { check } from 'k6';

export const settings = {
  url: need('RECADO_URL').replace(/\/$/, ''),
  key: __ENV.RECADO_API_KEY || '',
  // Over which account messages leave. Never one of a real provider.
  account: __ENV.LOAD_ACCOUNT || __ENV.RECADO_ACCOUNT_SMS || '',
  // A second at the highest.
  rate: number('LOAD_RATE', 50),
  sockets: number('LOAD_SOCKETS', 100),
  seconds: number('LOAD_SECONDS', 60),
  // Messages in one request of a batch.
  batch: number('LOAD_BATCH', 100),
};

export function need(name) {
  const value = __ENV[name];
  if (!value) throw new Error(`Set ${name}; make demo writes it into .recado/demo.env.`);
  return value;
}

function number(name, otherwise) {
  const value = Number(__ENV[name] || otherwise);
  if (!(value > 0)) throw new Error(`${name} must be a number above 0, and is ${__ENV[name]}.`);
  return value;
}

// Requests arrive at this rate whatever the answers take: a slow server is not spared.
export function arriving(exec, rate) {
  const third = Math.max(1, Math.round(settings.seconds / 3));
  return {
    executor: 'ramping-arrival-rate',
    exec,
    startRate: 1,
    timeUnit: '1s',
    preAllocatedVUs: Math.max(10, Math.ceil(rate)),
    maxVUs: Math.max(20, Math.ceil(rate * 4)),
    stages: [
      { target: Math.max(1, Math.ceil(rate)), duration: `${third}s` },
      { target: Math.max(1, Math.ceil(rate)), duration: `${third}s` },
      { target: 1, duration: `${third}s` },
    ],
  };
}

export function headers() {
  return { Authorization: `Api-Key ${settings.key}`, 'Content-Type': 'application/json' };
}

export function body(answer) {
  try {
    return answer.json() || {};
  } catch (_error) {
    return {};
  }
}

// Whatever is refused is refused in one form, with a code, and with a time to come back where that helps.
export function checkAnswer(answer, wanted, name) {
  const kind = answer.headers['Content-Type'] || '';
  const isRefused = answer.status >= 400;
  return check(answer, {
    [`${name}: ${wanted}`]: (it) => it.status === wanted,
    [`${name}: nothing breaks`]: (it) => it.status > 0 && (it.status < 500 || it.status === 503),
    [`${name}: a refusal is a problem document`]: (it) =>
      !isRefused || (kind.startsWith('application/problem+json') && Boolean(body(it).code)),
    [`${name}: 429 and 503 say when`]: (it) =>
      (it.status !== 429 && it.status !== 503) || Number(it.headers['Retry-After']) > 0,
  });
}
