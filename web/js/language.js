// Finds the language of the page, which is the visitor's choice or the first one of the browser's that there is, and
// fetches its texts. English needs none: its texts are what the others are found by (app/texts).
const here = new URL(import.meta.url); // with the version of the site in its query

// The languages by their own names. Each but English has a file in web/languages.
const names = { en: "English", de: "Deutsch", es: "Español", ja: "日本語", zh: "简体中文" };
const tags = { zh: "zh-Hans" }; // where the code alone does not say which letters are used

const base = (tag) => tag.split("-")[0];

// What the page's program reads: the language, the browser's own name for it, by which Intl writes numbers, and the
// texts as JSON, "" for none.
const language = globalThis.impromptLanguage = { names, code: "en", locale: locale("en"), texts: "" };
let texts = {};

function locale(code) {
  return navigator.languages.find((tag) => base(tag) === code) ?? tags[code] ?? code;
}

function wanted() {
  let chosen;
  try { chosen = localStorage.getItem("imprompt-language"); } catch { /* the browser keeps nothing */ }
  return [chosen, ...navigator.languages].map((tag) => tag && base(tag)).find((code) => code in names) ?? "en";
}

// speak has the page speak a language from now on.
async function speak(code) {
  let json = "";
  if (code !== "en") {
    const response = await fetch(new URL(`../languages/${code}.json${here.search}`, here));
    if (!response.ok) throw new Error(`the server answered ${response.status}`);
    json = await response.text();
  }
  texts = json ? JSON.parse(json) : {};
  Object.assign(language, { code, locale: locale(code), texts: json });
  document.documentElement.lang = tags[code] ?? code;
  dispatchEvent(new Event("imprompt-language"));
}

// impromptSpeak is the visitor's choice, which is remembered.
globalThis.impromptSpeak = async (code) => {
  await speak(code);
  try { localStorage.setItem("imprompt-language", code); } catch { /* the browser keeps nothing */ }
};

// t translates a text and fills in its %s.
export function t(english, ...values) {
  let at = 0;
  return (texts[english] ?? english).replace(/%(?:\[(\d+)\])?s/g, (_, n) => values[n ? n - 1 : at++]);
}

// say translates what stands in a part of the page.
function say(part) {
  const walk = document.createTreeWalker(part, NodeFilter.SHOW_TEXT);
  for (let node; (node = walk.nextNode());) {
    const translated = texts[node.data.trim()];
    if (translated) node.data = translated;
  }
  for (const e of part.querySelectorAll("[aria-label]")) e.ariaLabel = texts[e.ariaLabel] ?? e.ariaLabel;
}

// ready is settled when the texts are here, or cannot be had: then the page is in English.
export const ready = (async () => {
  const code = wanted();
  if (code === "en") return;
  try {
    await speak(code);
    const page = document.querySelector(".boot"); // until the program draws
    if (page) say(page);
  } catch (e) {
    console.warn("the page is in English:", e.message);
  }
})();
