// The run as sections; each says by its signature when it has to be drawn again.

import { h } from './dom.js';
import { cells } from './cells.js';
import { clock, duration, instant, isOver, look, pretty } from './words.js';

export function sections(view) {
  const { run, tasks } = view;
  const parts = [
    ['head', [run.run_name, run.state, run.status, run.start_time, run.end_time], () => head(run)],
    ['timeline', [run.start_time, run.end_time, tasks.map(times)], () => timeline(run, tasks)],
    ['tasks', tasks.map((task) => [times(task), task.status, task.output?.error]), () => taskTable(tasks)],
    ['parameters', parameters(run), () => parameterTable(parameters(run))],
    ...tasks.map((task) => [`task-${task.run_id}`, task, () => taskSection(task, tasks)]),
  ];
  return parts.map(([key, facts, build]) => ({ key, signature: JSON.stringify(facts), build }));
}

/** Everything that grows with the clock, brought to `now`. */
export function tick(root, now) {
  for (const element of root.querySelectorAll('[data-since]')) {
    element.textContent = duration(now - Number(element.dataset.since));
  }
  drawBars(root, now);
}

function times(task) {
  return [task.run_id, task.state, task.start_time, task.end_time, task.setup_duration, task.execution_duration];
}

export function chip(thing) {
  const [shape, word, tone] = look(thing);
  return h('span', { cls: `chip ${tone}` }, h('span', { 'aria-hidden': 'true' }, shape), word);
}

function elapsed(thing) {
  if (!thing.start_time) return h('span', {}, '–');
  if (thing.end_time) return h('span', {}, duration(thing.end_time - thing.start_time));
  return h('span', { 'data-since': thing.start_time }, duration(Date.now() - thing.start_time));
}

function head(run) {
  const facts = [
    ['Run', run.run_id], ['Job', run.job_id], ['Started', instant(run.start_time)],
    ['Ended', run.end_time ? clock(run.end_time) : null], ['Duration', elapsed(run)],
    ['Queued', run.queue_duration ? duration(run.queue_duration) : null], ['Trigger', run.trigger], ['By', run.creator_user_name],
  ].filter(([, value]) => value != null);
  const message = run.status?.termination_details?.message || run.state?.state_message;
  return h('section', { cls: 'fades', 'aria-label': 'Run' },
    h('div', { cls: 'head' }, h('h1', {}, run.run_name || `Run ${run.run_id}`), chip(run)),
    h('dl', { cls: 'facts' }, facts.map(([name, value]) => h('div', {}, h('dt', {}, name), h('dd', {}, value)))),
    message && h('p', { cls: look(run)[2] === 'bad' ? 'notice bad' : 'notice' }, message));
}

function timeline(run, tasks) {
  return h('section', { cls: 'card fades' }, h('h2', {}, 'Timeline'),
    tasks.map((task) => (task.start_time ? barRow(run, task) : idleRow(task))),
    h('p', { cls: 'legend' }, h('span', { cls: 'swatch setup' }), 'waiting for compute'));
}

function barRow(run, task) {
  const [, word, tone] = look(task);
  const setup = task.setup_duration ?? 0;
  const bar = (cls, from, to) => h('span', { cls, 'data-from': from, 'data-to': to ?? '' });
  const track = h('div', { cls: 'track', 'data-start': run.start_time, 'data-end': run.end_time || '',
    role: 'img', 'aria-label': `${title(task)}: ${word}, from ${clock(task.start_time)}` },
    setup > 0 && bar('seg setup', task.start_time, task.start_time + setup),
    bar(`seg ${tone}${isOver(task) ? '' : ' active'}`, task.start_time + setup, task.end_time || null));
  return h('div', { cls: 'row' }, h('span', { cls: 'name' }, title(task)), track,
    h('span', { cls: 'time' }, elapsed(task)));
}

/** A task that has not started, and perhaps never will: its place is kept, without a time. */
function idleRow(task) {
  return h('div', { cls: 'row' }, h('span', { cls: 'name' }, title(task)),
    h('div', { cls: 'track idle', role: 'img', 'aria-label': `${title(task)}: ${look(task)[1]}, not started` }),
    h('span', { cls: 'time' }, '–'));
}

function drawBars(root, now) {
  for (const track of root.querySelectorAll('.track')) {
    const start = Number(track.dataset.start);
    const span = Math.max(1, Number(track.dataset.end || now) - start);
    for (const segment of track.children) {
      const from = Math.max(0, Number(segment.dataset.from) - start);
      const to = Number(segment.dataset.to || now) - start;
      segment.style.left = `${Math.min(99, (100 * from) / span)}%`;
      segment.style.width = `${Math.max(0, (100 * (to - from)) / span)}%`;
    }
  }
}

function title(task) {
  return task.attempt_number ? `${task.task_key} (attempt ${task.attempt_number + 1})` : task.task_key;
}

function taskTable(tasks) {
  const cell = (label, ...children) => h('td', { 'data-label': label }, h('span', {}, ...children));
  return h('section', { cls: 'card fades' }, h('h2', {}, 'Tasks'),
    h('table', { cls: 'tasks' },
      h('thead', {}, h('tr', {}, ['Task', 'State', 'Attempt', 'Started', 'Waited', 'Duration']
        .map((name) => h('th', { scope: 'col' }, name)))),
      h('tbody', {}, tasks.map((task) => h('tr', {},
        h('th', { scope: 'row' }, h('a', { href: `#task-${task.run_id}`, id: `link-${task.run_id}` }, task.task_key)),
        cell('State', chip(task)), cell('Attempt', String((task.attempt_number ?? 0) + 1)),
        cell('Started', clock(task.start_time)), cell('Waited', task.start_time ? duration(task.setup_duration) : '–'),
        cell('Duration', elapsed(task)))))));
}

function parameters(run) {
  const given = (run.job_parameters ?? []).map(({ name, value, default: fallback }) => [name, value ?? fallback ?? '']);
  return [...given, ...Object.entries(run.overriding_parameters?.notebook_params ?? {})];
}

function parameterTable(pairs) {
  return h('section', { cls: 'card fades' }, h('h2', {}, 'Parameters'), pairs.length
    ? h('table', {}, h('thead', { cls: 'sr-only' }, h('tr', {}, h('th', { scope: 'col' }, 'Name'), h('th', { scope: 'col' }, 'Value'))),
      h('tbody', {}, pairs.map(([name, value]) => h('tr', {}, h('th', { scope: 'row' }, name),
        h('td', {}, value === '' ? h('span', { cls: 'wait' }, '(empty)') : h('code', {}, value))))))
    : h('p', { cls: 'wait' }, 'This run has no job parameters.'));
}

function taskSection(task, tasks) {
  const newest = !tasks.some((each) => each.task_key === task.task_key && each.attempt_number > task.attempt_number);
  const body = h('div', { cls: 'task-body' },
    task.notebook_task && h('p', {}, 'Notebook ', h('code', {}, task.notebook_task.notebook_path)),
    task.state?.state_message && h('p', { cls: 'wait' }, task.state.state_message),
    outcome(task), baseParameters(task), cells(task));
  return h('section', { cls: 'card fades', id: `task-${task.run_id}`, tabindex: '-1' },
    h('details', { cls: 'task', id: `open-${task.run_id}`, open: newest },
      h('summary', { id: `summary-${task.run_id}` }, h('span', { cls: 'head' }, h('h3', {}, title(task)), chip(task))), body));
}

function outcome(task) {
  const output = task.output ?? {};
  const result = output.notebook_output?.result;
  return [
    output.error && [h('h4', {}, 'Error'), h('pre', { cls: 'err' }, plain(output.error))],
    output.error_trace && h('details', { id: `trace-${task.run_id}` }, h('summary', {}, 'Trace'),
      h('pre', { cls: 'code', tabindex: '0' }, plain(output.error_trace))),
    result != null && [h('h4', {}, output.notebook_output.truncated ? 'Result (first 5 MB)' : 'Result'),
      h('pre', { tabindex: '0' }, pretty(result))],
  ];
}

/** Traces come with terminal colours; here they would be noise. */
function plain(text) {
  return text.replace(/\u001b\[[0-9;]*m/g, '');
}

function baseParameters(task) {
  const pairs = Object.entries(task.notebook_task?.base_parameters ?? {});
  return pairs.length > 0 && h('details', { id: `base-${task.run_id}` }, h('summary', {}, `Task parameters (${pairs.length})`),
    h('table', {}, h('tbody', {}, pairs.map(([name, value]) => h('tr', {}, h('th', { scope: 'row' }, name),
      h('td', {}, h('code', {}, value)))))));
}
