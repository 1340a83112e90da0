'use strict';
// Everything can be read without this.
const root = document.documentElement;
const $ = (what, within = document) => within.querySelector(what);
const on = (type, act) => document.addEventListener(type, act);
const $$ = (what, within = document) => [...within.querySelectorAll(what)];
const kept = (name) => { try { return localStorage.getItem('analytics:' + name); } catch { return null; } };
const keep = (name, value) => {
  try { value === null ? localStorage.removeItem('analytics:' + name) : localStorage.setItem('analytics:' + name, value); } catch { /* private windows */ }
};
const made = (tag, text, more = {}) => Object.assign(document.createElement(tag), { textContent: text }, more);

// Before anything is painted.
root.classList.add('scripted');
if (kept('theme')) root.dataset.theme = kept('theme');

function toggleTheme() {
  const dark = root.dataset.theme ? root.dataset.theme === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
  root.dataset.theme = dark ? 'light' : 'dark';
  keep('theme', root.dataset.theme);
}

// Values: a chart's are read from the table under it, a mark's from its title.
let box;
function hide() {
  box?.remove();
  box = null;
  $$('.cross').forEach((line) => line.remove());
  $$('.at').forEach((mark) => mark.classList.remove('at'));
}
function showBox(plot, share, top, lines) {
  hide();
  box = made('div', '', { className: 'values' });
  box.setAttribute('role', 'status');
  box.append(...lines);
  plot.append(box);
  const x = Math.min(Math.max(share * plot.clientWidth + 12, 0), plot.clientWidth);
  box.style.transform = `translate(${x + box.offsetWidth > plot.clientWidth ? Math.max(x - box.offsetWidth - 24, 0) : x}px, ${top}px)`;
}
function showPlace(plot, place) {
  const figure = plot.closest('.chart'), rows = $$('tbody tr', figure), row = rows[place];
  if (!row) return;
  plot.dataset.place = place;
  const share = rows.length > 1 ? place / (rows.length - 1) : 0.5;
  const keys = $$('.key', figure);
  const lines = keys.flatMap((key, at) => {
    if (key.getAttribute('aria-pressed') === 'false') return [];
    const line = made('div', ''), name = made('i', key.textContent, { className: key.className.replace('key', '') });
    line.append(name, ' ' + row.cells[at + 1].textContent);
    return [line];
  });
  showBox(plot, share, 12, [made('b', row.cells[0].textContent), ...lines]);
  const cross = document.createElementNS('http://www.w3.org/2000/svg', 'line');
  for (const [name, value] of [['class', 'cross'], ['x1', share * 100 + '%'], ['x2', share * 100 + '%'], ['y1', 14], ['y2', 182]]) cross.setAttribute(name, value);
  $('svg', plot).append(cross);
}
const marks = (plot) => $$('rect, circle', plot).filter((mark) => mark.dataset.says || $('title', mark));
function showMark(plot, mark) {
  // The browser's own box would stand over ours.
  const title = $('title', mark);
  if (title) { mark.dataset.says = title.textContent; title.remove(); }
  const at = mark.getBoundingClientRect(), whole = plot.getBoundingClientRect();
  showBox(plot, (at.left - whole.left + plot.scrollLeft + at.width / 2) / plot.clientWidth, Math.max(at.top - whole.top - 34, 0), [made('b', mark.dataset.says)]);
  mark.classList.add('at');
  plot.dataset.place = marks(plot).indexOf(mark);
}
function point(event) {
  const plot = event.target.closest?.('.plotted, .heated');
  if (!plot) { if (box && !box.parentNode.contains(document.activeElement)) hide(); return; }
  if (plot.classList.contains('heated')) {
    const mark = event.target.closest('rect, circle');
    if (mark && (mark.dataset.says || $('title', mark))) showMark(plot, mark);
    return;
  }
  const { left, width } = plot.getBoundingClientRect(), places = $$('tbody tr', plot.closest('.chart')).length;
  showPlace(plot, Math.round(Math.min(Math.max((event.clientX - left) / width, 0), 1) * (places - 1)));
}
on('pointermove', point);
on('pointerdown', point);
// To touch a second chart takes the focus from the first.
on('focusout', (event) => { if (!box?.parentNode.contains(event.relatedTarget)) hide(); });
function step(plot, event) {
  const heated = plot.classList.contains('heated');
  const all = heated ? marks(plot) : $$('tbody tr', plot.closest('.chart'));
  const by = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: heated ? -24 : 0, ArrowDown: heated ? 24 : 0, Home: -1e6, End: 1e6 }[event.key];
  if (!by || !all.length) return;
  event.preventDefault();
  const from = Number(plot.dataset.place ?? (by > 0 ? -1 : all.length));
  const place = Math.min(Math.max(from + by, 0), all.length - 1);
  heated ? showMark(plot, all[place]) : showPlace(plot, place);
}

// Tables. The address holds by what each is sorted (`#users=-Actions`): it can be copied, and gone back from.
const isSorts = () => location.hash === '' || location.hash.includes('=');
const sorts = () => new URLSearchParams(isSorts() ? location.hash.slice(1) : '');
const nameOf = (part) => part.closest('[data-panel]')?.dataset.panel ?? '';
function sortBy(head) {
  const before = head.getAttribute('aria-sort'), descending = before ? before === 'ascending' : head.classList.contains('num');
  sortTo(nameOf(head), (descending ? '-' : '') + head.textContent);
}
function sortTo(name, by) {
  const now = sorts();
  now.set(name, by);
  history.pushState(null, '', '#' + now);
  sortAll();
}
function sortAll() {
  const now = sorts();
  if (isSorts()) $$('.rows').filter((table) => !table.closest('[data-live]')).forEach((table) => sort(table, now.get(nameOf(table)) ?? table.dataset.by ?? ''));
}
function sort(table, by) {
  const body = table.tBodies[0], rows = [...body.rows], heads = $$('thead th', table), descending = by.startsWith('-');
  const head = by && heads.find((one) => one.textContent === by.slice(descending ? 1 : 0)), at = head?.cellIndex;
  const select = $('.sort select', table.closest('.panel'));
  if (select) select.value = head ? nameOf(table) + ':' + by : '';
  if (!head && !rows.some((row) => row.dataset.place)) return;
  const value = ({ cells, dataset }) => {
    if (!head) return Number(dataset.place);
    return cells[at]?.dataset.sort !== undefined ? Number(cells[at].dataset.sort) : cells[at]?.textContent ?? '';
  };
  // As they came, for the way back.
  rows.forEach((row, place) => { row.dataset.place ??= place; });
  rows.sort((a, b) => {
    const [x, y] = [value(a), value(b)];
    // What there is none of comes last, both ways.
    if (typeof x !== typeof y) return typeof x === 'number' ? -1 : 1;
    const order = typeof x === 'number' ? x - y : x.localeCompare(y, undefined, { numeric: true });
    return descending ? -order : order;
  });
  heads.forEach((one) => one.removeAttribute('aria-sort'));
  if (head) head.setAttribute('aria-sort', descending ? 'descending' : 'ascending');
  body.append(...rows);
}
on('submit', ({ target }) => { if (target.method === 'get' && isSorts()) target.action += location.hash; });

// Refresh: what is inside a part is changed for what the server says now; scroll, focus, open tables and put away lines stay.
function swap(part, change) {
  const every = 'a, button, summary, [tabindex]', at = $$(every, part).indexOf(document.activeElement), top = scrollY;
  const open = $$('details', part).map((one) => one.open), off = $$('.key', part).map((one) => one.getAttribute('aria-pressed'));
  const scrolled = $$('.scroll', part).map((one) => [one.scrollLeft, one.scrollTop]);
  hide();
  change();
  ready();
  $$('details', part).forEach((one, place) => { one.open = open[place] ?? false; });
  $$('.key', part).forEach((one, place) => { if (off[place] === 'false') toggle(one); });
  $$('.scroll', part).forEach((one, place) => { [one.scrollLeft, one.scrollTop] = scrolled[place] ?? [0, 0]; });
  if (at >= 0) $$(every, part)[at]?.focus({ preventScroll: true });
  scrollTo({ top, behavior: 'instant' });
}
let timer, busy = false;
async function refresh() {
  const main = $('main'), updated = $('[data-updated]');
  if (busy || document.hidden || root.classList.contains('arranging') || $('[data-live]')) return;
  busy = true;
  const slow = setTimeout(() => main.classList.add('loading'), 300);
  try {
    const answer = await fetch(location.href, { headers: { accept: 'text/html' } });
    if (!answer.ok) throw new Error(answer.status === 401 ? 'sign in again' : `the server said ${answer.status}`);
    const fresh = new DOMParser().parseFromString(await answer.text(), 'text/html');
    if (!$('main', fresh)) throw new Error('the answer was no page');
    swap(main, () => main.replaceChildren(...$('main', fresh).childNodes));
    updated.textContent = $('[data-updated]', fresh).textContent;
    updated.classList.remove('failed');
  } catch (error) {
    // The old numbers stay.
    updated.textContent = `Not refreshed: ${error.message}`;
    updated.classList.add('failed');
  }
  clearTimeout(slow);
  main.classList.remove('loading');
  busy = false;
}
function every(seconds) {
  clearInterval(timer);
  if (seconds > 0) timer = setInterval(refresh, seconds * 1000);
}
on('visibilitychange', () => { if (!document.hidden && Number(kept('refresh'))) refresh(); });

function toggle(key) {
  const off = key.getAttribute('aria-pressed') === 'true';
  key.setAttribute('aria-pressed', String(!off));
  $(`.series[data-series="${key.dataset.series}"]`, key.closest('.chart'))?.classList.toggle('off', off);
}

// What changes by itself. The server ends the connection now and then to ask again who we are: that alone is no loss.
function watch(url, heard, silent) {
  let silence, source;
  const wait = () => { clearTimeout(silence); silence = setTimeout(silent, 4000); };
  const connect = () => {
    wait();
    source = new EventSource(url);
    source.onmessage = (event) => { wait(); heard(event.data); };
    // A browser gives up for good if it is answered with an error.
    source.onerror = () => { if (source.readyState === EventSource.CLOSED) setTimeout(connect, 3000); };
  };
  connect();
  on('visibilitychange', () => { source.close(); clearTimeout(silence); if (!document.hidden) connect(); });
}
let pressed = false;
on('pointerdown', () => { pressed = true; });
for (const end of ['pointerup', 'pointercancel']) on(end, () => { pressed = false; });
function live(place) {
  const state = $('[data-live-state]'), dot = $('[data-live-dot]');
  let lost = false;
  const say = (text, well) => { state.textContent = text; state.classList.toggle('failed', !well); dot.classList.toggle('on', well); };
  watch(place.dataset.live, (html) => {
    // Not under somebody's finger, and not what is being copied.
    if (!pressed && getSelection().isCollapsed) swap(place, () => { place.innerHTML = html; });
    say(lost ? 'connected again' : 'connected', true);
  }, () => { lost = true; say('connection lost, trying again; the numbers are old', false); });
}
function strip(place) {
  const dot = $('.dot', place), said = $('[data-now]', place), lost = ' · connection lost';
  watch(place.dataset.strip, (html) => {
    said.textContent = $('[data-now]', new DOMParser().parseFromString(html, 'text/html'))?.textContent ?? said.textContent;
    dot.classList.add('on');
    // The first hit of an empty store.
    if ($('.welcome') && !said.textContent.startsWith('0 ')) refresh();
  }, () => {
    dot.classList.remove('on');
    if (!said.textContent.endsWith(lost)) said.textContent += lost;
  });
}

function ready() {
  $$('.rows').filter((table) => !table.closest('[data-live]') && table.tBodies[0]?.rows.length > 1).forEach((table) => $$('thead th', table).forEach((head) => {
    if (head.textContent) { head.dataset.by = ''; head.tabIndex = 0; }
  }));
  sortAll();
  arrange();
}

on('click', (event) => {
  const at = (what) => event.target.closest(what), link = at('a[href]');
  // The same page of another range or filter stays sorted.
  if (link && link.pathname === location.pathname && link.search !== location.search && isSorts()) link.hash ||= location.hash;
  $$('details.menu[open]').forEach((menu) => { if (!menu.contains(event.target)) menu.open = false; });
  if (at('[data-theme-toggle]')) toggleTheme();
  else if (at('[data-keys]')) $('#keys').showModal();
  else if (at('[data-arrange]')) {
    const now = root.classList.toggle('arranging');
    at('[data-arrange]').setAttribute('aria-pressed', String(now));
    arrange();
  } else if (at('.key')) toggle(at('.key'));
  else if (at('th[data-by]')) sortBy(at('th[data-by]'));
  else if (at('.rows tbody tr') && !at('a, button') && !String(getSelection())) $('a', at('tr'))?.click();
});
on('change', (event) => {
  if (event.target.matches('[data-refresh]')) { keep('refresh', event.target.value); every(Number(event.target.value)); }
  if (event.target.matches('.sort select')) sortTo(nameOf(event.target), event.target.value.split(':')[1] ?? '');
  if (event.target.matches('[data-no-keys]')) keep('no-keys', event.target.checked ? '1' : null);
});
on('keydown', (event) => {
  const plot = event.target.closest?.('.plotted, .heated');
  if (plot) step(plot, event);
  if (['Enter', ' '].includes(event.key) && event.target.matches?.('th[data-by]')) { event.preventDefault(); sortBy(event.target); }
  if (event.key === 'Escape') { hide(); $$('details.menu[open]').forEach((menu) => { menu.open = false; }); }
  if (event.ctrlKey || event.metaKey || event.altKey || $('dialog[open]') || event.target.closest?.('input, select, textarea')?.checkVisibility()) return;
  if (event.key === '?') return void $('#keys')?.showModal();
  if (kept('no-keys')) return;
  const act = { d: toggleTheme, '.': refresh, a: () => $('[data-arrange]')?.click() }[event.key];
  act ? act() : $$(`[data-key], [data-range]`).find((link) => link.dataset.key === event.key || link.dataset.range === event.key)?.click();
});

addEventListener('popstate', sortAll);
// A page that the back button brings back as it was.
addEventListener('pageshow', () => { if (kept('theme')) root.dataset.theme = kept('theme'); });
on('DOMContentLoaded', () => {
  ready();
  const seconds = kept('refresh') ?? '0';
  if ($('[data-refresh]')) { $('[data-refresh]').value = seconds; every(Number(seconds)); }
  if ($('[data-no-keys]')) $('[data-no-keys]').checked = Boolean(kept('no-keys'));
  if ($('[data-live]')) live($('[data-live]'));
  if ($('[data-strip]')) strip($('[data-strip]'));
});
