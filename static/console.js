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

// A choice among filters holds at once.
document.addEventListener("change", (event) => {
  if (event.target.matches("form[data-at-once] select")) event.target.form.requestSubmit();
});

// `/` goes to the search.
document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("input, textarea, select, [contenteditable]")) return;
  const search = document.querySelector("[data-search]");
  if (search) {
    event.preventDefault();
    search.focus();
    search.select();
  }
});

function prepare(root) {
  for (const button of root.querySelectorAll("[data-copy]")) button.hidden = false;
  // The browser's time zone, for whoever has named none.
  for (const field of root.querySelectorAll("[data-time-zone]")) {
    if (!field.value) field.value = Intl.DateTimeFormat().resolvedOptions().timeZone ?? "";
  }
}

// Pages with something under way say so: parts with `data-live` are taken from the page again, while it can be seen,
// until none of them is left.
const SECONDS = 3;

// What a part tells, without its times: that these grow is no news.
function news(part) {
  const copy = part.cloneNode(true);
  for (const time of copy.querySelectorAll("time")) time.remove();
  return copy.textContent;
}

async function refresh() {
  const live = document.querySelectorAll("[data-live]");
  if (live.length === 0) return;
  if (!document.hidden && !document.activeElement?.closest("[data-live] :is(input, textarea, select)")) {
    try {
      const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
      if (answer.ok) {
        const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
        for (const old of live) {
          const now = fresh.getElementById(old.id);
          if (!now) { old.removeAttribute("data-live"); continue; }
          // What a person has opened stays open.
          const opened = old.querySelectorAll("details");
          now.querySelectorAll("details").forEach((part, at) => { part.open = opened[at]?.open ?? part.open; });
          prepare(now);
          if (now.outerHTML === old.outerHTML) continue;
          const focused = document.activeElement?.id;
          if (news(now) !== news(old)) now.classList.add("fresh");
          old.replaceWith(now);
          if (focused) document.getElementById(focused)?.focus();
        }
      }
    } catch {
      // The server is away: a reload tells.
    }
  }
  setTimeout(refresh, SECONDS * 1000);
}

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
setTimeout(refresh, SECONDS * 1000);
