// Makes calls with the public SDK and prints what it would have sent, one request each. Standard input holds merchantId and
// privateKey.
import { readFileSync } from "node:fs";
import { WaffoPancake } from "@waffo/pancake-ts";

const { merchantId, privateKey } = JSON.parse(readFileSync(0, "utf8"));
const sent = [];
const client = new WaffoPancake({
  merchantId,
  privateKey,
  baseUrl: "https://pay.example/",
  fetch: async (url, { method, headers, body }) => {
    sent.push({ method, path: new URL(url).pathname, headers, body });
    return new Response(JSON.stringify({ data: { sessionId: "cs_", checkoutUrl: "https://x.example/", token: "t" } }));
  },
});

const productId = "PROD_2aUyqjCzEIiEcYMKj7TZtw";
await client.auth.issueSessionToken({ productId, buyerIdentity: "crêpe-👩‍🍳" });
await client.checkout.createSession({ productId, currency: "EUR", metadata: { note: "Größe \u2028 \u0000" } });
await client.checkout.authenticated.create({ productId, currency: "EUR", buyerIdentity: "x" });
await client.stores.create({ name: "Store" }, { idempotencyKey: "unsigned" });
console.log(JSON.stringify(sent));
