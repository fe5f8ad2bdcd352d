// Keeps an order's page up to date: its state comes as a stream, the countdown runs here.
'use strict';

const state = document.getElementById('state');
// The server's clock, so that a wrong clock of the phone changes nothing.
let ahead = 0;

function countDown() {
  const timer = document.querySelector('[data-deadline]');
  if (!timer) return;
  const left = Math.max(0, Math.ceil((Number(timer.dataset.deadline) - (Date.now() + ahead)) / 1000));
  timer.textContent = Math.floor(left / 60) + ':' + String(left % 60).padStart(2, '0');
}

function setClock() {
  const timer = document.querySelector('[data-now]');
  if (timer) ahead = Number(timer.dataset.now) - Date.now();
  countDown();
}

function show(text) {
  const hadFocus = state.contains(document.activeElement);
  const before = state.querySelector('[data-status]').dataset.status;
  state.innerHTML = text;
  const title = state.querySelector('[data-status]');
  setClock();
  if (title.dataset.status === before) return;
  // Readers of the page's sound hear the change alone, not the whole page; a keyboard goes on where it was.
  document.title = title.textContent;
  document.getElementById('said').textContent = title.textContent;
  if (hadFocus) title.focus();
}

// What a text says, but for the clock and for what the reader has unfolded: equal means that nothing happened.
function gist(text) {
  const box = document.createElement('template');
  box.innerHTML = text;
  for (const timer of box.content.querySelectorAll('[data-now]')) {
    timer.removeAttribute('data-now');
    timer.textContent = '';
  }
  for (const folded of box.content.querySelectorAll('details')) folded.removeAttribute('open');
  return box.innerHTML.trim();
}

if (state && state.dataset.live) {
  let shown = gist(state.innerHTML);
  setClock();
  setInterval(countDown, 500);
  const stream = new EventSource(state.dataset.live);
  stream.addEventListener('state', (event) => {
    // Nobody who is about to click, or typing a reason, is interrupted by what is there already.
    const news = gist(event.data);
    if (news !== shown) show(event.data);
    shown = news;
  });
}
