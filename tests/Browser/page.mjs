// Runs a script against the web page in Debian's chromium: node page.mjs SCRIPT. Its default export gets the functions below. The
// page must load nothing else, and must report no error: neither of its program nor of its Content-Security-Policy.
import { execFileSync } from "node:child_process";
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath, pathToFileURL } from "node:url";
import { resolve } from "node:path";

const require = createRequire(fileURLToPath(new URL("../../artifacts/browser/package.json", import.meta.url)));
const { chromium } = require("playwright-core");

/** How long a condition may take, in milliseconds; a machine under load is slow. */
const PATIENCE = 45000;
const address = process.env.PAGE_ADDRESS ?? "http://127.0.0.1:9469/";
const axeSource = () => readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

const faults = [];
const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox", "--disable-dev-shm-usage"] });

/** Opens the page. Options are those of a Playwright context; the faults of the page fail the script. */
async function open(options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE);
  page.on("pageerror", error => faults.push(`error: ${error.message}`));
  page.on("console", message => {
    // A daemon that is being replaced refuses connections, which the browser reports.
    if (message.type() === "error" && !/Failed to load resource|net::ERR_/.test(message.text())) {
      faults.push(`console: ${message.text()}`);
    }
  });
  page.on("request", request => {
    if (!request.url().startsWith(address) && !request.url().startsWith("data:")) {
      faults.push(`request: ${request.url()}`);
    }
  });
  await page.goto(address);
  await see(page, "#link", /^live$/);
  return page;
}

/** Waits until an element has a text that matches. */
async function see(page, selector, wanted) {
  let seen = "";
  const end = Date.now() + PATIENCE;
  while (Date.now() < end) {
    const texts = await page.locator(selector).allInnerTexts();
    seen = texts.join(" | ");
    if (texts.some(text => wanted.test(text.trim()))) {
      return;
    }
    await sleep(50);
  }
  throw new Error(`no ${wanted} in ${selector}: ${seen.slice(0, 500) || "nothing"}`);
}

function check(condition, text) {
  if (!condition) {
    throw new Error(text);
  }
}

/** Runs a command and returns its output. */
const run = (...words) => execFileSync(words[0], words.slice(1), { encoding: "utf8" });

let failure = null;
try {
  const script = await import(pathToFileURL(resolve(process.argv[2])));
  await script.default({ open, see, check, run, sleep, address, axeSource });
} catch (error) {
  failure = error;
}
await browser.close();
if (failure || faults.length > 0) {
  console.error([failure?.message, ...faults].filter(Boolean).join("\n"));
  process.exit(1);
}
