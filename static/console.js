// What makes the pages pleasant. Every page works without it.
"use strict";

// Copies the text of the element that a button names.
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const source = document.getElementById(button.dataset.copy);
  const label = button.dataset.label ?? (button.dataset.label = button.textContent);
  try {
    await navigator.clipboard.writeText(source.textContent);
    button.textContent = "Copied";
  } catch {
    getSelection().selectAllChildren(source);
    button.textContent = "Press Ctrl+C";
  }
  setTimeout(() => { button.textContent = label; }, 2000);
});

// Asks before what cannot be undone.
document.addEventListener("submit", (event) => {
  const question = event.submitter?.dataset.confirm ?? event.target.dataset.confirm;
  if (question && !confirm(question)) event.preventDefault();
});

// A choice among filters holds at once. With the keyboard a choice is passed by on the way to another one.
let clicked = false;
document.addEventListener("pointerdown", () => { clicked = true; }, true);
document.addEventListener("keydown", () => { clicked = false; }, true);
document.addEventListener("change", (event) => {
  if (clicked && event.target.matches("form[data-at-once] select")) event.target.form.requestSubmit();
});

// Filters that are empty do not stand in the address.
document.addEventListener("formdata", (event) => {
  if (event.target.method !== "get") return;
  for (const [name, value] of [...event.formData]) if (value === "") event.formData.delete(name);
});

// `/` goes to the search, of this page or else of the events; Escape leaves it.
const SEARCH = "#search";
function search() {
  const field = document.querySelector("[data-search]");
  field?.focus();
  field?.select();
  return field !== null;
}
if (location.hash === SEARCH) search();
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && event.target.matches("[data-search]")) event.target.blur();
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("input, textarea, select, [contenteditable]")) return;
  if (!document.querySelector(".side")) return;
  event.preventDefault();
  if (!search()) location.assign(`/events${SEARCH}`);
});

function prepare(root) {
  for (const button of root.querySelectorAll("[data-copy]")) button.hidden = false;
  // The browser's time zone, for whoever has named none.
  for (const field of root.querySelectorAll("[data-time-zone]")) {
    if (!field.value) field.value = Intl.DateTimeFormat().resolvedOptions().timeZone ?? "";
  }
}

// Pages with something under way say so: parts with `data-live` are taken from the page again, while it can be seen,
// until none of them is left. Where the server does not answer, ever more rarely.
const SECONDS = 3, SLOWEST = 60;
let pause = SECONDS, later, asking = false;

function live() {
  return [...document.querySelectorAll("[data-live]")].filter((part) => !part.parentElement.closest("[data-live]"));
}

// What a part tells, without its times: that these grow is no news.
function news(part) {
  const copy = part.cloneNode(true);
  for (const time of copy.querySelectorAll("time")) time.remove();
  return copy.textContent;
}

// Whether a person is at it: has opened or selected something there, or types.
function held(part) {
  const active = document.activeElement, picked = getSelection();
  return (!picked.isCollapsed && picked.containsNode(part, true))
    || (part.contains(active) && active.matches("input, textarea, select"))
    || [...part.querySelectorAll("input, textarea")].some((field) => field.value !== field.defaultValue)
    || part.querySelector("details[open]") !== null;
}

// Puts `now` in the place of `old`, with the focus where it was. Where that is gone, nothing is done yet.
function put(old, now) {
  const focusable = (part) => [...part.querySelectorAll("a, button, summary, [tabindex]")];
  let focus = null;
  if (old.contains(document.activeElement)) {
    const at = focusable(old).indexOf(document.activeElement);
    focus = focusable(now)[at];
    if (focus?.nodeName !== document.activeElement.nodeName || focus.id !== document.activeElement.id) return;
  }
  if (news(now) !== news(old)) now.classList.add("fresh");
  old.replaceWith(now);
  focus?.focus({ preventScroll: true });
}

function show(fresh) {
  for (const old of live()) {
    if (held(old)) continue;
    const now = fresh.getElementById(old.id);
    if (now) {
      prepare(now);
      if (now.outerHTML !== old.outerHTML) put(old, now);
    } else {
      // It fits the filters of the page no more, or was deleted.
      old.removeAttribute("data-live");
      old.classList.add("left");
      old.title = "This has changed: load the page again to see it.";
    }
  }
}

// Nothing changes by itself any more, and the page says so.
function ended() {
  for (const part of live()) part.removeAttribute("data-live");
  if (document.querySelector("main > .ended")) return;
  const notice = document.createElement("p"), link = document.createElement("a");
  notice.className = "alert warn ended";
  notice.setAttribute("role", "status");
  link.href = `/login?to=${encodeURIComponent(location.pathname + location.search)}`;
  link.textContent = "Sign in again";
  notice.append("Your session has ended, so this page does not change by itself any more. ", link, ".");
  document.querySelector("main").prepend(notice);
}

async function refresh() {
  if (asking || document.hidden || live().length === 0) return;
  asking = true;
  try {
    // A list says how it is asked for so that new rows do not push others out.
    const from = document.querySelector("[data-from]")?.dataset.from ?? location.href;
    const answer = await fetch(from, { headers: { Accept: "text/html" }, redirect: "manual" });
    // A page leads elsewhere only to sign in.
    if (answer.type === "opaqueredirect" || answer.status === 401) return ended();
    if (!answer.ok) throw new Error(`the answer is ${answer.status}`);
    show(new DOMParser().parseFromString(await answer.text(), "text/html"));
    pause = SECONDS;
  } catch {
    // The server is away, or has no time.
    pause = Math.min(2 * pause, SLOWEST);
  } finally {
    asking = false;
  }
  wait();
}

function wait() {
  clearTimeout(later);
  later = setTimeout(refresh, pause * 1000);
}

document.addEventListener("visibilitychange", () => {
  clearTimeout(later);
  if (!document.hidden) refresh();
});

// Distances in time grow while a page is open, by the server's clock and in its words (web/ui/moments.rs). Parts that are
// live are taken from it again.
const UNITS = [["s", 1e3, 60], ["min", 60e3, 60], ["h", 3600e3, 24], ["days", 86400e3, 30]];
const ahead = Date.parse(document.body.dataset.now) - Date.now();
function tick() {
  for (const time of document.querySelectorAll("time:not(.at)")) {
    if (time.closest("[data-live]") || !/^(just now|in .+|.+ ago)$/.test(time.textContent)) continue;
    const away = Date.parse(time.dateTime) - Date.now() - ahead, size = Math.abs(away);
    const [unit, ms] = UNITS.find(([, ms, most]) => Math.floor(size / ms + 0.5) < most) ?? [];
    if (!unit) continue;
    // What was to come has come.
    if (away < 2000 && time.textContent.startsWith("in ")) { time.textContent = "now"; continue; }
    const count = Math.floor(size / ms + 0.5), length = `${count} ${count === 1 && unit === "days" ? "day" : unit}`;
    time.textContent = size < 2000 ? "just now" : away < 0 ? `${length} ago` : `in ${length}`;
  }
}
setInterval(tick, 30000);

// What is on its way is not sent twice by a second click.
let sent = null;
document.addEventListener("submit", (event) => {
  if (event.defaultPrevented || event.target.method !== "post") return;
  if (sent === event.target) event.preventDefault();
  sent = event.target;
  setTimeout(() => { sent = null; }, 5000);
});
addEventListener("pageshow", () => { sent = null; });

// A secret is shown once, also to whoever goes back to a page that the browser has kept.
addEventListener("pageshow", (event) => {
  if (event.persisted && document.querySelector("code#secret")) location.reload();
});

// A form with `data-preview` shows what it would make while somebody types: it is posted to look at, and what is in that
// part of the page, or wrong beside a field, is taken from the answer.
let waiting, asked;
document.addEventListener("input", (event) => {
  const form = event.target.closest("form[data-preview]");
  if (!form) return;
  clearTimeout(waiting);
  waiting = setTimeout(() => preview(form), 500);
});
async function preview(form) {
  asked?.abort();
  asked = new AbortController();
  const body = new URLSearchParams(new FormData(form));
  body.set("do", "preview");
  try {
    const answer = await fetch(form.action, { method: "POST", body, headers: { Accept: "text/html" }, redirect: "error", signal: asked.signal });
    if (answer.status === 401) return ended();
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    const now = fresh.getElementById(form.dataset.preview);
    if (!now) return;
    document.getElementById(now.id).replaceWith(now);
    for (const field of form.querySelectorAll(".field > [name]")) {
      const was = document.getElementById(`${field.name}-wrong`), is = fresh.getElementById(`${field.name}-wrong`);
      was?.remove();
      if (is) field.after(is);
      for (const mark of ["aria-invalid", "aria-describedby"]) {
        const value = fresh.getElementById(field.id)?.getAttribute(mark);
        if (value) field.setAttribute(mark, value); else field.removeAttribute(mark);
      }
    }
  } catch {
    // A later one is on its way, or the server is away: the button tells.
  }
}

prepare(document);
wait();
