// Reads one run with its view key and keeps the page true to it.

import { h, reconcile } from './dom.js';
import { sections, tick } from './view.js';
import { clock, isOver, look } from './words.js';

const REFRESH_MS = 1000;
const MAX_RETRY_MS = 15000;
const runId = location.pathname.split('/').filter(Boolean).pop();
const keyName = `run-view-key:${runId}`;
const main = document.getElementById('content');
const live = document.getElementById('live');

let view = null;
let tag = null;
let readAt = null;
let announced = '';
let failures = 0;
let timer = null;

/** The key comes in the fragment, which no server ever sees, and does not stay in the address bar. */
function takeKey() {
  const given = new URLSearchParams(location.hash.slice(1)).get('key');
  if (!given) return false;
  sessionStorage.setItem(keyName, given);
  history.replaceState(null, '', location.pathname + location.search);
  return true;
}

function refuse(title, text) {
  view = null;
  live.textContent = '';
  document.title = `${title} – local workspace`;
  main.replaceChildren(h('section', { cls: 'notice warn', role: 'alert' }, h('h1', {}, title), h('p', {}, text)));
}

function show(fresh) {
  view = fresh;
  document.getElementById('loading')?.remove();
  document.title = `${look(view.run)[1]} – ${view.run.run_name ?? `run ${runId}`}`;
  if (!main.querySelector('#run')) main.replaceChildren(h('div', { id: 'stale' }), h('div', { id: 'run' }));
  reconcile(main.querySelector('#run'), sections(view));
  announce();
}

/** One message per phase, never per second. */
function announce() {
  const words = [look(view.run)[1], ...view.tasks.map((task) => `${task.task_key} ${look(task)[1]}`)].join(', ');
  if (words === announced) return;
  announced = words;
  document.getElementById('announcer').textContent = `Run: ${words}`;
}

function paintLive() {
  if (!view) return;
  document.body.classList.toggle('stale', failures > 0);
  const message = `The workspace cannot be reached. Last known at ${clock(readAt)}.`;
  const place = main.querySelector('#stale');
  if (failures && place.textContent !== message) place.replaceChildren(h('p', { cls: 'notice warn', role: 'alert' }, message));
  if (!failures) place.replaceChildren();
  live.textContent = failures ? `Last known ${clock(readAt)}` : isOver(view.run) ? 'Final' : 'Live';
  tick(main, failures ? readAt : Date.now());
}

function again(delay) {
  clearTimeout(timer);
  timer = setTimeout(load, delay);
}

function unreachable() {
  failures += 1;
  again(Math.min(MAX_RETRY_MS, REFRESH_MS * 2 ** Math.min(failures, 4)));
  if (view) return paintLive();
  return refuse('The workspace cannot be reached', 'It may be stopped. This page tries again by itself.');
}

async function load() {
  const key = sessionStorage.getItem(keyName);
  if (!key) return refuse('This link has no key', 'Open this run from the dashboard again.');
  let response;
  try {
    response = await fetch(`/api/local/runs/${encodeURIComponent(runId)}/view`, {
      headers: { 'X-View-Key': key, ...(tag && view ? { 'If-None-Match': tag } : {}) }, cache: 'no-store',
    });
    if (response.ok) show(await response.json());
  } catch {
    return unreachable();
  }
  return settle(response);
}

function settle(response) {
  if (response.status === 403) return refuse('This link has expired or is not valid', 'Open this run from the dashboard again.');
  if (response.status === 404 || response.status === 400) return refuse('This run does not exist', 'It may have been deleted. Open the run from the dashboard again.');
  if (!response.ok && response.status !== 304) return unreachable();
  tag = response.headers.get('ETag') ?? tag;
  failures = 0;
  readAt = Date.now();
  paintLive();
  if (!isOver(view.run)) again(REFRESH_MS);
  return undefined;
}

// A run that had ended may have been repaired meanwhile.
addEventListener('focus', () => view && isOver(view.run) && load());
addEventListener('hashchange', () => takeKey() && load());
setInterval(() => view && !isOver(view.run) && !failures && tick(main, Date.now()), REFRESH_MS);
takeKey();
load();
