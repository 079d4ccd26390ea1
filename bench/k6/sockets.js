// Sockets that watch an organization, are cut, and come back where they were.  k6 run bench/k6/sockets.js
// Events are whatever happens meanwhile: run api.js beside it.
import { check } from 'k6';
import { Counter, Rate, Trend } from 'k6/metrics';
import { setTimeout } from 'k6/timers';
import { WebSocket } from 'k6/websockets';
import { need, settings } from './shared.js';

need('RECADO_API_KEY');
const address = `${settings.url.replace(/^http/, 'ws')}/ws/status`;

const connecting = new Trend('socket_connecting', true);
const lag = new Trend('socket_event_lag', true);
const events = new Counter('socket_events');
const doubled = new Counter('socket_events_doubled');
const gaps = new Counter('socket_gaps');
const recovered = new Rate('socket_recovered');
const closedWell = new Rate('socket_closed_as_promised');

export const options = {
  scenarios: {
    watch: {
      executor: 'per-vu-iterations',
      vus: Math.ceil(settings.sockets),
      iterations: 1,
      maxDuration: `${settings.seconds + 60}s`,
    },
  },
  thresholds: {
    socket_connecting: ['p(95)<1000'],
    socket_event_lag: ['p(95)<1000', 'p(99)<5000'],
    socket_events_doubled: ['count==0'],
    socket_gaps: ['count==0'],
    socket_recovered: ['rate>0.99'],
    socket_closed_as_promised: ['rate>0.99'],
    checks: ['rate>0.99'],
  },
};

// What docs/realtime.md says of how a socket ends; 1005 is our own close without a code.
const PROMISED = [1000, 1001, 1005, 1012, 4408, 4429];

export default function watch() {
  // Not all in the same moment: a cluster does not start with everybody at once.
  const wait = Math.random() * Math.min(20, settings.seconds / 4) * 1000;
  const half = (settings.seconds * 1000) / 2;
  const seen = { offset: null, ids: new Set() };
  setTimeout(() => follow(seen, half, () => follow(seen, half, () => {})), wait);
}

function follow(seen, milliseconds, next) {
  const began = Date.now();
  const isBack = seen.offset !== null;
  const socket = new WebSocket(address, null, { headers: { Authorization: `Api-Key ${settings.key}` } });
  socket.onmessage = ({ data }) => {
    const frame = JSON.parse(data);
    if (frame.type === 'connected') {
      connecting.add(Date.now() - began);
      const wanted = { action: 'subscribe', scope: 'organization' };
      socket.send(JSON.stringify(isBack ? { ...wanted, since: seen.offset } : wanted));
    } else if (frame.type === 'subscribed') {
      if (isBack) recovered.add(frame.recovered);
      else seen.offset = frame.offset;
      setTimeout(() => socket.close(), milliseconds);
    } else if (frame.type === 'gap') {
      gaps.add(1);
      seen.offset = frame.offset;
    } else if (frame.type === 'status' || frame.type === 'message') {
      take(seen, frame);
    } else if (frame.type === 'error') {
      check(frame, { 'socket: no error': () => false });
    }
  };
  socket.onclose = ({ code }) => {
    closedWell.add(PROMISED.includes(code));
    next();
  };
  socket.onerror = () => check(socket, { 'socket: connected': () => false });
}

function take(seen, frame) {
  events.add(1);
  seen.offset = frame.offset;
  // Events that are made up for after a cut are late by the cut, not by the server.
  const age = Date.now() - Date.parse(frame.at);
  if (frame.type === 'status' && age >= 0 && age < 60000) lag.add(age);
  const id = frame.event_id || frame.message_id;
  if (seen.ids.has(id)) doubled.add(1);
  // Only the newest are remembered.
  if (seen.ids.size >= 10000) seen.ids.delete(seen.ids.values().next().value);
  seen.ids.add(id);
}
