// The page for people in a real browser: it loads nothing from elsewhere, breaks no rule of its own
// policy, fits a phone, shows its sections, and its buttons copy what stands beside them.
// URL is the page, CHROMIUM the browser, SCREENSHOTS the folder for what was seen. Prints one JSON
// object.
import { chromium } from "playwright-core";

const { URL: url, CHROMIUM, SCREENSHOTS } = process.env;
const origin = new globalThis.URL(url).origin;
const browser = await chromium.launch({
  executablePath: CHROMIUM,
  args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});
const seen = { complaints: [], elsewhere: [], copied: [], shown: [], too_wide: [], links: [] };
for (const [name, colorScheme, width, height] of [
  ["light", "light", 1100, 900],
  ["dark", "dark", 1100, 900],
  ["phone", "light", 360, 740],
]) {
  const context = await browser.newContext({ colorScheme, viewport: { width, height }, permissions: ["clipboard-read", "clipboard-write"] });
  const page = await context.newPage();
  page.on("console", (message) => seen.complaints.push(message.text()));
  page.on("pageerror", (error) => seen.complaints.push(error.message));
  page.on("request", (request) => {
    if (!request.url().startsWith(origin) && !request.url().startsWith("data:")) seen.elsewhere.push(request.url());
  });
  await page.goto(url);
  await page.screenshot({ path: `${SCREENSHOTS}/page-${name}-closed.png`, fullPage: true });
  for (const summary of await page.locator("summary").all()) await summary.click();
  await page.screenshot({ path: `${SCREENSHOTS}/page-${name}.png`, fullPage: true });
  if (await page.evaluate(() => document.documentElement.scrollWidth > innerWidth)) seen.too_wide.push(name);
  if (name === "light") {
    seen.status = await page.locator(".status").innerText();
    seen.inputs = await page.locator("input, textarea, form").count();
    seen.links = await page.locator("a.install").evaluateAll((links) => links.map((link) => link.href));
    for (const place of await page.locator(".copyable").all()) {
      await place.getByRole("button", { name: "Copy" }).click();
      await place.getByRole("button", { name: "Copied" }).waitFor();
      seen.copied.push(await page.evaluate(() => navigator.clipboard.readText()));
      seen.shown.push(await place.locator("code").textContent());
    }
  }
  seen[`background_${name}`] = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  await context.close();
}
await browser.close();
console.log(JSON.stringify(seen));
