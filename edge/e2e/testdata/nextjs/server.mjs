// A merchant's server on @waffo/pancake-nextjs. It does what Next.js does for an application: it serves the page of app.jsx, calls the
// server actions, and has the route of the webhook. Prints a line of JSON for its URL and for each event.
//
//   node server.mjs <dev.json> <bundle of app.jsx>
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { buffer, json } from "node:stream/consumers";
import { Webhook, WebhookEventType } from "@waffo/pancake-nextjs";
import {
  createCheckoutAction, createCustomerSessionAction, createCustomerTokenAction, createMerchantQueryAction,
} from "@waffo/pancake-nextjs/server";
import { WaffoPancake } from "@waffo/pancake-ts";

const dev = JSON.parse(readFileSync(process.argv[2], "utf8")), script = readFileSync(process.argv[3]);
const tell = (what) => console.log(JSON.stringify(what));

const config = { merchantId: dev.merchantId, privateKey: dev.privateKey.test, baseUrl: dev.baseUrl, environment: "test" };
const actions = {
  checkout: createCheckoutAction(config),
  issueCustomerToken: createCustomerTokenAction(config),
  customerAction: createCustomerSessionAction(config),
  merchantQuery: createMerchantQueryAction(config),
};

const webhook = Webhook({
  verifyOptions: { publicKeys: dev.webhookPublicKey, environment: "test" },
  onOrderCompleted: (event) => tell({ event }),
  onRefundSucceeded: (event) => tell({ event }),
});

const shop = { baseUrl: dev.baseUrl, storeSlug: dev.storeSlug, storeId: dev.storeId, productId: dev.products[0].id };
const page = `<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Shop</title><link rel="icon" href="data:,">
<div id="root"></div>
<script type="application/json" id="shop">${JSON.stringify(shop)}</script>
<script type="module" src="/app.js"></script></html>`;

async function route(request, { pathname }) {
  const [, folder, name] = pathname.split("/");
  if (request.method === "POST" && folder === "webhook") {
    const answer = await webhook(new Request(url + pathname, { method: "POST", headers: request.headers, body: await buffer(request) }));
    if (answer.status !== 200) tell({ error: await answer.clone().text() });
    return [answer.status, "application/json", await answer.text()];
  }
  if (request.method === "POST" && folder === "actions") {
    return [200, "application/json", JSON.stringify(await actions[name](...(await json(request))))];
  }
  return folder === "app.js" ? [200, "text/javascript", script] : [200, "text/html", page];
}

const server = createServer(async (request, response) => {
  const [status, type, body] = await route(request, new URL(request.url, url)).catch(({ message }) => [500, "application/json", JSON.stringify({ message })]);
  response.writeHead(status, { "Content-Type": type }).end(body);
});
await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
const url = `http://127.0.0.1:${server.address().port}`;

await new WaffoPancake(config).webhooks.add({
  storeId: dev.storeId, channel: "http", url: `${url}/webhook`, testMode: true,
  events: [WebhookEventType.OrderCompleted, WebhookEventType.RefundSucceeded],
});
tell({ url });
