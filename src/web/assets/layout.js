'use strict';
// Panels: which are shown, in which order, how wide.
const WIDTHS = [3, 4, 6, 8, 12];
const page = () => $('main')?.dataset.page ?? '';
const layout = () => { try { return JSON.parse(kept('layout:' + page())) ?? {}; } catch { return {}; } };
const panels = () => $$('.grid > [data-panel]');
function save(change) {
  const now = { hidden: [], widths: {}, ...layout(), order: panels().map((panel) => panel.dataset.panel) };
  change?.(now);
  keep('layout:' + page(), JSON.stringify(now));
  arrange();
}
function arrange() {
  const { order, hidden = [], widths = {} } = layout();
  const on = root.classList.contains('arranging');
  $$('.tools, .put-away').forEach((tool) => tool.remove());
  if (order) panels().sort((a, b) => order.indexOf(a.dataset.panel) - order.indexOf(b.dataset.panel)).forEach((panel) => panel.parentNode.append(panel));
  panels().forEach((panel) => {
    const name = panel.dataset.panel;
    panel.hidden = hidden.includes(name);
    if (widths[name]) { panel.dataset.w = widths[name]; panel.dataset.fixed = ''; }
    panel.draggable = on;
    if (on) panel.prepend(tools(panel, name));
  });
  if (on && $('.grid')) $('.grid').after(putAway(hidden));
}
function tools(panel, name) {
  const title = $('h2', panel)?.textContent ?? name, bar = made('div', '', { className: 'tools' });
  const tool = (label, what, act) => {
    const button = made('button', label, { type: 'button', title: what });
    button.setAttribute('aria-label', `${what}: ${title}`);
    button.onclick = () => { act(); $(`[data-panel="${name}"] [title="${what}"]`)?.focus(); };
    bar.append(button);
  };
  const move = (by) => () => {
    const shown = panels().filter((other) => !other.hidden), other = shown[shown.indexOf(panel) + by];
    if (other) { by < 0 ? other.before(panel) : other.after(panel); save(); }
  };
  const resize = (by) => () => save((now) => {
    const at = WIDTHS.indexOf(Number(panel.dataset.w)) + by;
    if (WIDTHS[at]) now.widths[name] = WIDTHS[at];
  });
  tool('←', 'Move before', move(-1));
  tool('→', 'Move after', move(1));
  tool('−', 'Narrower', resize(-1));
  tool('+', 'Wider', resize(1));
  tool('×', 'Hide', () => save((now) => now.hidden.push(name)));
  return bar;
}
function putAway(hidden) {
  const line = made('p', hidden.length ? 'Hidden: ' : 'Drag panels, or use the buttons on them. ', { className: 'put-away' });
  hidden.forEach((name) => line.append(made('button', 'Show ' + ($(`#p-${CSS.escape(name)}`)?.textContent ?? name), {
    type: 'button', onclick: () => save((now) => { now.hidden = now.hidden.filter((other) => other !== name); }),
  })));
  line.append(made('button', 'Reset', { type: 'button', onclick: () => { keep('layout:' + page(), null); location.reload(); } }));
  return line;
}
let dragged;
on('dragstart', (event) => { dragged = event.target.closest?.('[data-panel]'); });
on('dragover', (event) => {
  const over = event.target.closest?.('[data-panel]');
  if (!dragged || !over || over === dragged || over.parentNode !== dragged.parentNode) return;
  event.preventDefault();
  const all = panels();
  all.indexOf(over) > all.indexOf(dragged) ? over.after(dragged) : over.before(dragged);
});
on('dragend', () => { if (dragged) save(); dragged = null; });
