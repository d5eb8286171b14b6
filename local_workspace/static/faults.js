// Says so when faults are switched on: what the reader sees going wrong then was asked for.

import { h } from './dom.js';

const REFRESH_MS = 5000;
const place = document.getElementById('faults');
let shown = '';

async function look() {
  let active = [];
  try {
    const response = await fetch('/api/local/faults/notice', { cache: 'no-store' });
    if (response.ok) active = (await response.json()).active;
  } catch {
    return; // the page itself tells that the workspace cannot be reached
  }
  const text = active.join(', ');
  if (text === shown) return;
  shown = text;
  const words = `Faults are switched on here: ${text}. What callers see goes wrong on purpose.`;
  place.replaceChildren(...(text ? [h('p', { cls: 'notice warn', role: 'status' }, words)] : []));
}

look();
setInterval(look, REFRESH_MS);
