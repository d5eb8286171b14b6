// The cells of one task: code, what it printed and showed, and how long it took.

import { h } from './dom.js';
import { duration, isOver, look } from './words.js';

const SHAPES = {
  success: ['✓', 'Done', 'ok'],
  failed: ['✕', 'Failed', 'bad'],
  running: ['◐', 'Running', 'run'],
  stopped: ['⊘', 'Stopped', 'skipped'],
};

export function cells(task) {
  const all = task.cells ?? [];
  if (!all.length) return null;
  return h('details', { id: `cells-${task.run_id}`, open: look(task)[2] !== 'ok' }, h('summary', {}, `Cells (${all.length})`),
    all.map((cell, index) => drawn(cell, index, task)));
}

function drawn(cell, index, task) {
  // A killed worker leaves its last cell as it was: it ran, and runs no longer.
  const status = cell.status === 'running' && isOver(task) ? 'stopped' : cell.status;
  const [shape, word, tone] = SHAPES[status] ?? ['○', status ?? 'Waiting', 'wait'];
  const took = cell.ended_at_ms ? duration(cell.ended_at_ms - cell.started_at_ms) : null;
  return h('div', { cls: `cell ${tone}` },
    h('div', { cls: 'meta' }, h('span', { cls: tone }, h('span', { 'aria-hidden': 'true' }, `${shape} `), word),
      h('span', {}, `Cell ${index + 1}`), cell.language && h('span', {}, cell.language),
      took && h('span', {}, took), cell.title && h('strong', {}, cell.title)),
    h('pre', { cls: 'code', tabindex: '0', 'aria-label': `Code of cell ${index + 1}`, id: `code-${task.run_id}-${index}` }, cell.source),
    (cell.outputs ?? []).map((output) => shown(output, index)));
}

function shown(output, index) {
  const label = `Output of cell ${index + 1}`;
  if (output.type === 'table') return table(output, label);
  // A frame without rights: what a notebook displays as HTML can neither run scripts nor reach this page.
  if (output.type === 'html') return h('iframe', { sandbox: '', srcdoc: output.html, title: label });
  return h('pre', { cls: output.type === 'error' ? 'err' : null, tabindex: '0', 'aria-label': label }, output.text ?? '');
}

function table({ columns, rows, truncated }, label) {
  return h('div', { cls: 'scroll', tabindex: '0', role: 'region', 'aria-label': label },
    h('table', {}, h('thead', {}, h('tr', {}, columns.map((name) => h('th', { scope: 'col' }, name)))),
      h('tbody', {}, rows.map((row) => h('tr', {}, row.map((value) => h('td', {}, value == null ? h('em', {}, 'null') : String(value))))))),
    truncated && h('p', { cls: 'wait' }, `The first ${rows.length} rows.`));
}
