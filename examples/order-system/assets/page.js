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

if (state && state.dataset.live) {
  setClock();
  setInterval(countDown, 500);
  const stream = new EventSource(state.dataset.live);
  stream.addEventListener('state', (event) => {
    // Somebody who is typing a reason is not interrupted by the same state again.
    if (event.data === state.dataset.shown) return;
    state.dataset.shown = event.data;
    state.innerHTML = event.data;
    const title = state.querySelector('h1');
    if (title) document.title = title.textContent;
    setClock();
  });
}
