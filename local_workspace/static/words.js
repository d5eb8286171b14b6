// What a state is called and how it looks. Shape, word and colour together; an unknown state keeps its own name.

const TERMINAL = new Set(['TERMINATED', 'SKIPPED', 'INTERNAL_ERROR']);
const LOOKS = {
  SUCCESS: ['✓', 'Succeeded', 'ok'],
  SUCCESS_WITH_FAILURES: ['✓', 'Succeeded with failures', 'skipped'],
  FAILED: ['✕', 'Failed', 'bad'],
  TIMEDOUT: ['✕', 'Timed out', 'bad'],
  CANCELED: ['⊘', 'Canceled', 'skipped'],
  UPSTREAM_FAILED: ['⤼', 'Skipped: a task before it failed', 'skipped'],
  UPSTREAM_CANCELED: ['⤼', 'Skipped: a task before it was canceled', 'skipped'],
  EXCLUDED: ['⤼', 'Excluded', 'skipped'],
  DISABLED: ['⤼', 'Disabled', 'skipped'],
  MAXIMUM_CONCURRENT_RUNS_REACHED: ['⤼', 'Skipped: too many runs at once', 'skipped'],
  SKIPPED: ['⤼', 'Skipped', 'skipped'],
  INTERNAL_ERROR: ['✕', 'Internal error', 'bad'],
  QUEUED: ['○', 'Queued', 'wait'],
  BLOCKED: ['○', 'Waiting', 'wait'],
  PENDING: ['○', 'Starting', 'wait'],
  WAITING: ['○', 'Waiting', 'wait'],
  WAITING_FOR_RETRY: ['◔', 'Waiting for a retry', 'wait'],
  RUNNING: ['◐', 'Running', 'run'],
  TERMINATING: ['◐', 'Ending', 'run'],
};

export function isOver(thing) {
  const current = thing.status?.state;
  return current ? current === 'TERMINATED' : TERMINAL.has(thing.state?.life_cycle_state);
}

/** `[shape, word, tone]`; the result tells more than the life cycle, and an unknown name is shown as it is. */
export function look(thing) {
  const state = thing.state ?? {};
  const name = isOver(thing)
    ? (state.result_state ?? state.life_cycle_state ?? thing.status?.termination_details?.code)
    : (state.life_cycle_state ?? thing.status?.state);
  return LOOKS[name] ?? ['?', name ?? 'Unknown', 'wait'];
}

export function clock(ms) {
  return ms ? new Date(ms).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' }) : '–';
}

export function instant(ms) {
  if (!ms) return '–';
  const day = new Date(ms).toLocaleDateString([], { year: 'numeric', month: 'short', day: 'numeric' });
  return `${day}, ${clock(ms)}`;
}

/** A duration without false precision: tenths below ten seconds, then whole seconds. */
export function duration(ms) {
  if (ms == null || ms < 0) return '–';
  if (ms < 9950) return `${(ms / 1000).toFixed(1)}s`;
  const seconds = Math.round(ms / 1000);
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  if (h) return `${h}h ${String(m).padStart(2, '0')}m`;
  return m ? `${m}m ${String(s).padStart(2, '0')}s` : `${s}s`;
}

/** JSON indented for reading; any other text as it is. */
export function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
