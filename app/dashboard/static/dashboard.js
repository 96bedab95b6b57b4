// What makes pages livelier. Everything works without it.
"use strict";

const HEADERS = { "X-Requested-With": "gatepost" };

/** Load this very page again and swap the elements with the same ids that have changed. */
async function refresh(elements) {
  const due = elements.filter((element) => !isBusy(element));
  if (document.hidden || !due.length) return;
  const response = await fetch(location.href, { headers: HEADERS, cache: "no-store" });
  if (response.status === 401) {
    location.assign("/login?next=" + encodeURIComponent(location.pathname + location.search));
    return;
  }
  if (response.redirected) return void location.assign(response.url);
  if (!response.ok) return;
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  for (const element of due) {
    const fresh = page.getElementById(element.id);
    if (fresh && fresh.innerHTML !== element.shown && !isBusy(element)) swap(element, fresh);
  }
}

/** Whether somebody writes or marks something there. */
function isBusy(element) {
  const focused = document.activeElement;
  const isTyping = focused.matches("input:not([type=checkbox]), select, textarea");
  const isFilledIn = [...element.querySelectorAll("input[type=checkbox], textarea")]
    .some((field) => field.checked || field.matches("textarea") && field.value);
  return isFilledIn || isTyping && element.contains(focused);
}

/** What has the focus keeps it, and what was opened stays open. */
function swap(element, fresh) {
  const find = element.contains(document.activeElement) && finder(element, document.activeElement);
  const opened = [...element.querySelectorAll("details")].map((details) => details.open);
  element.shown = fresh.innerHTML;
  element.className = fresh.className;
  element.replaceChildren(...fresh.childNodes);
  element.querySelectorAll("details").forEach((details, at) => { details.open ||= opened[at]; });
  if (find) find()?.focus({ preventScroll: true });
}

/** How to find again what has the focus: by its id, or by its place in its row, or without the
 *  row in the one that now stands there. */
function finder(element, focused) {
  if (focused.id) return () => document.getElementById(focused.id);
  const inside = (part) => [...part.querySelectorAll("a, button, input, summary, [tabindex]")];
  const rows = () => [...element.querySelectorAll("[data-row]")];
  const row = focused.closest("[data-row]");
  const at = inside(row || element).indexOf(focused), line = rows().indexOf(row);
  return () => {
    const now = rows().find((one) => one.dataset.row === row?.dataset.row) || rows()[line] || rows().at(-1);
    return inside(row && now || element)[at];
  };
}

/** What is refreshed as often is loaded together. */
function keepFresh(elements) {
  const bySeconds = new Map();
  for (const element of elements) {
    element.shown = element.innerHTML;
    const seconds = Math.max(2, Number(element.dataset.refresh) || 30);
    bySeconds.set(seconds, [...bySeconds.get(seconds) || [], element]);
  }
  for (const [seconds, together] of bySeconds) {
    setInterval(() => refresh(together).catch(() => {}), seconds * 1000);
  }
}

/** A button that copies the text beside it. */
function offerCopy(element) {
  const label = document.documentElement.lang === "ru" ? ["Копировать", "Скопировано"] : ["Copy", "Copied"];
  const button = document.createElement("button");
  button.type = "button";
  button.className = "quiet small";
  button.textContent = label[0];
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(element.textContent.trim());
    button.textContent = label[1];
    setTimeout(() => { button.textContent = label[0]; }, 2000);
  });
  element.after(" ", button);
}

/** The menu of a phone closes with Escape. */
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && location.hash === "#menu") location.hash = "#content";
});

/** While somebody types in a form, show what the server says of it, 400 ms after the last key. */
function keepLive(form) {
  let timer = 0, latest = 0;
  const send = async () => {
    const mine = ++latest;
    const body = new URLSearchParams(new FormData(form));
    body.set("do", form.dataset.live === "preview" ? "preview" : "check");
    const headers = { ...HEADERS, "X-CSRF-Token": body.get("csrf") };
    const response = await fetch(form.action, { method: "POST", headers, body });
    if (!response.ok || mine !== latest) return;
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    const fresh = page.getElementById(form.dataset.live);
    const shown = document.getElementById(form.dataset.live);
    if (fresh && shown) shown.replaceChildren(...fresh.childNodes);
  };
  form.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(() => send().catch(() => {}), 400);
  });
}

/** Macros become buttons that insert themselves where the cursor was last. */
function offerInsert(box) {
  let field = document.getElementById(box.dataset.insert);
  box.closest("form").addEventListener("focusin", (event) => {
    if (event.target.matches("textarea, input:not([type=hidden])")) field = event.target;
  });
  box.querySelectorAll("code").forEach((code) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = code.textContent;
    button.addEventListener("click", () => {
      field.setRangeText(code.textContent, field.selectionStart, field.selectionEnd, "end");
      field.focus();
      field.dispatchEvent(new Event("input", { bubbles: true }));
    });
    code.replaceWith(button);
  });
}

/** How many characters of a start link are used. */
function count(input) {
  const shown = document.querySelector("[data-counter]");
  input.addEventListener("input", () => {
    shown.textContent = Number(input.dataset.count) + input.value.length;
  });
}

/** Keys decide on the row in focus: its buttons have data-key, x marks it, arrows go on. */
function listenToKeys(form) {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.matches("select, textarea, input:not([type=checkbox])")) return;
    const rows = [...form.querySelectorAll("tr[data-row]")];
    const here = event.target.closest("tr[data-row]");
    const row = here || rows[0];
    if (!row) return;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      const step = event.key === "ArrowDown" ? 1 : -1;
      const next = here ? rows[rows.indexOf(here) + step] : rows[0];
      if (next) next.querySelector("input, a").focus();
      event.preventDefault();
      return;
    }
    const mark = row.querySelector("input[type=checkbox]");
    if (event.key === "x" && mark) {
      mark.checked = !mark.checked;
      mark.focus();
    } else if (/^[adh]$/.test(event.key)) {
      row.querySelector(`[data-key=${event.key}]`)?.click();
    }
  });
}

/** Telegram opens a Mini App with who looks at it, behind the #. */
function openApp(form) {
  const data = new URLSearchParams(location.hash.slice(1)).get("tgWebAppData");
  if (!data) return;
  form.elements.init_data.value = data;
  history.replaceState(null, "", location.pathname + location.search);
  form.submit();
}

/** In a frame of Telegram's the app asks Telegram for a window at the same address. */
function offerWindow(button) {
  button.hidden = !location.hash.includes("tgWebAppData=");
  button.addEventListener("click", () => {
    const event = { eventType: "web_app_open_link", eventData: { url: location.href } };
    parent.postMessage(JSON.stringify(event), "https://web.telegram.org");
  });
}

document.querySelectorAll("[data-window]").forEach(offerWindow);
document.querySelectorAll("form[data-app]").forEach(openApp);
document.querySelectorAll("form[data-live]").forEach(keepLive);
document.querySelectorAll("form[data-keys]").forEach(listenToKeys);
document.querySelectorAll("[data-insert]").forEach(offerInsert);
document.querySelectorAll("[data-count]").forEach(count);
keepFresh(document.querySelectorAll("[data-refresh]"));
if (navigator.clipboard) document.querySelectorAll(".copy").forEach(offerCopy);
