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
async function refresh() {
  const live = document.querySelectorAll("[data-live]");
  if (live.length === 0) return;
  if (!document.hidden && !document.activeElement?.closest("[data-live] :is(input, textarea, select)")) {
    try {
      const answer = await fetch(location.href, { headers: { Accept: "text/html" }, redirect: "error" });
      if (answer.ok) {
        const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
        for (const old of live) {
          const now = fresh.getElementById(old.id);
          if (!now) { old.removeAttribute("data-live"); continue; }
          // What somebody has opened stays open.
          if (old.querySelector("details[open]")) continue;
          prepare(now);
          if (now.outerHTML === old.outerHTML) continue;
          const focused = document.activeElement?.id;
          if (now.textContent !== old.textContent) now.classList.add("fresh");
          old.replaceWith(now);
          if (focused) document.getElementById(focused)?.focus();
        }
      }
    } catch {
      // The server is away, or nobody is signed in any more: a reload tells.
    }
  }
  setTimeout(refresh, SECONDS * 1000);
}

prepare(document);
setTimeout(refresh, SECONDS * 1000);
