// A merchant's Next.js route, as its author would write it: the handler of @waffo/pancake-nextjs, behind Node's HTTP server. Prints a
// line of JSON for whatever happens.
import { createServer } from "node:http";
import { readFileSync } from "node:fs";
import { WaffoPancake } from "@waffo/pancake-ts";
import { Webhook, WebhookEventType } from "@waffo/pancake-nextjs";

const dev = JSON.parse(readFileSync(process.argv[2], "utf8"));
const tell = (what) => console.log(JSON.stringify(what));

const POST = Webhook({
  verifyOptions: { publicKeys: dev.webhookPublicKey, environment: "test" },
  onOrderCompleted: (event) => tell({ event }),
});

const server = createServer(async (request, response) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const answer = await POST(new Request("http://merchant.example/api/webhooks", { method: "POST", headers: request.headers, body: Buffer.concat(chunks) }));
  if (answer.status !== 200) tell({ error: await answer.clone().text() });
  response.writeHead(answer.status).end(await answer.text());
});
await new Promise((ready) => server.listen(0, "127.0.0.1", ready));

const client = new WaffoPancake({ merchantId: dev.merchantId, privateKey: dev.privateKey.test, baseUrl: dev.baseUrl });
const { webhook } = await client.webhooks.add({
  storeId: dev.storeId,
  channel: "http",
  url: `http://127.0.0.1:${server.address().port}/api/webhooks`,
  events: [WebhookEventType.OrderCompleted],
  testMode: true,
});
tell({ webhook });
