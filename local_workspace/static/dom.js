// Elements from data. Text is always set as text: nothing of a run ever becomes markup of this page.

export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value == null || value === false) continue;
    element.setAttribute(name === 'cls' ? 'class' : name, value === true ? '' : String(value));
  }
  element.append(...children.flat(9).filter((child) => child != null && child !== false));
  return element;
}

/**
 * Put `children` into `parent`, keeping every element whose key and signature are unchanged,
 * so that a refresh does not take focus, scroll position or text selection away.
 */
export function reconcile(parent, children) {
  const before = new Map([...parent.children].map((element) => [element.dataset.key, element]));
  const after = children.map(({ key, signature, build }) => {
    const old = before.get(key);
    if (old && old.dataset.signature === signature) return old;
    const fresh = build();
    fresh.dataset.key = key;
    fresh.dataset.signature = signature;
    if (old) carryOver(old, fresh);
    return fresh;
  });
  after.forEach((element, index) => {
    if (parent.children[index] !== element) parent.insertBefore(element, parent.children[index] ?? null);
  });
  while (parent.children.length > after.length) parent.lastElementChild.remove();
}

/** What the reader opened stays open, and the focused part stays focused. */
function carryOver(old, fresh) {
  const wasOpen = new Map([old, ...old.querySelectorAll('details[id]')].map((each) => [each.id, each.open]));
  for (const each of [fresh, ...fresh.querySelectorAll('details[id]')]) {
    if (each.tagName === 'DETAILS' && wasOpen.has(each.id)) each.open = wasOpen.get(each.id);
  }
  const focused = old.contains(document.activeElement) ? document.activeElement.closest('[id]')?.id : null;
  if (focused) queueMicrotask(() => document.getElementById(focused)?.focus({ preventScroll: true }));
}
