// A merchant's server, as its author would write it: an endpoint that the SDK adds to the store, verifies with, changes and removes.
// Prints a line of JSON for whatever happens; a line on standard input says what to do next.
import { createServer } from "node:http";
import { createInterface } from "node:readline";
import { readFileSync } from "node:fs";
import { WaffoPancake, WebhookEventType } from "@waffo/pancake-ts";

const dev = JSON.parse(readFileSync(process.argv[2], "utf8"));
const client = new WaffoPancake({
  merchantId: dev.merchantId,
  privateKey: dev.privateKey.test,
  baseUrl: dev.baseUrl,
  webhookPublicKey: dev.webhookPublicKey,
});
const tell = (what) => console.log(JSON.stringify(what));

const server = createServer(async (request, response) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const body = Buffer.concat(chunks).toString("utf8");
  try {
    tell({ event: client.webhooks.verify(body, request.headers["x-waffo-signature"], { environment: "test" }) });
    response.end("OK");
  } catch (error) {
    tell({ error: error.message });
    response.writeHead(401).end();
  }
});
await new Promise((ready) => server.listen(0, "127.0.0.1", ready));

const { webhook } = await client.webhooks.add({
  storeId: dev.storeId,
  channel: "http",
  url: `http://127.0.0.1:${server.address().port}/webhooks`,
  events: [WebhookEventType.OrderCompleted],
  testMode: true,
});
tell({ webhook });

for await (const line of createInterface({ input: process.stdin })) {
  if (line === "update") {
    tell(await client.webhooks.update({ id: webhook.id, events: [WebhookEventType.OrderCompleted, WebhookEventType.RefundSucceeded] }));
  } else if (line === "slack") {
    const params = { storeId: dev.storeId, channel: "slack", url: "https://hooks.slack.com/x", events: ["order.completed"], testMode: true };
    tell(await client.webhooks.add(params).then(() => ({}), (error) => ({ status: error.status, errors: error.errors })));
  } else if (line === "remove") {
    tell(await client.webhooks.remove({ id: webhook.id }));
  }
}
server.close();
