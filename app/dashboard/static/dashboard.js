// What makes pages livelier. Everything works without it.
"use strict";

const HEADERS = { "X-Requested-With": "gatepost" };

/** Load this very page again and swap the element with the same id, unless it did not change. */
async function refresh(element) {
  if (document.hidden || element.contains(document.activeElement)) return;
  const response = await fetch(location.href, { headers: HEADERS, cache: "no-store" });
  if (response.status === 401) {
    location.assign("/login?next=" + encodeURIComponent(location.pathname + location.search));
    return;
  }
  if (!response.ok) return;
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  const fresh = page.getElementById(element.id);
  if (!fresh || fresh.innerHTML === element.innerHTML) return;
  element.replaceChildren(...fresh.childNodes);
}

function keepFresh(element) {
  const seconds = Math.max(2, Number(element.dataset.refresh) || 30);
  setInterval(() => refresh(element).catch(() => {}), seconds * 1000);
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

document.querySelectorAll("[data-refresh]").forEach(keepFresh);
if (navigator.clipboard) document.querySelectorAll(".copy").forEach(offerCopy);
