// A merchant's server and a buyer's program, as their authors would write them: the public SDK with baseUrl, then the
// documented create-order call with the token that came with the checkout URL. Prints what the test goes on with.
import { readFileSync } from "node:fs";
import { WaffoPancake } from "@waffo/pancake-ts";

const dev = JSON.parse(readFileSync(process.argv[2], "utf8"));

const client = new WaffoPancake({
  merchantId: dev.merchantId,
  privateKey: dev.privateKey.test,
  baseUrl: dev.baseUrl,
});

const session = await client.checkout.authenticated.create({
  productId: dev.products[0].id,
  currency: "USD",
  buyerIdentity: "user-17",
  orderMerchantExternalId: "ORDER-2026-00891",
  metadata: { campaign: "autumn" },
});

const response = await fetch(`${dev.baseUrl}/v1/actions/onetime-order/create-order`, {
  method: "POST",
  headers: {
    "Content-Type": "application/json",
    "X-Environment": "test",
    Authorization: `Bearer ${session.token}`,
  },
  body: JSON.stringify({
    checkoutSessionId: session.sessionId,
    buyerEmail: "customer@example.com",
    billingDetail: { country: "US", isBusiness: false, state: "CA" },
    successUrl: "https://example.com/thank-you",
  }),
});

const refusals = {};
for (const [name, params] of Object.entries({
  unknownProduct: { productId: "PROD_0000000000000000000000", currency: "USD" },
  unknownCurrency: { productId: dev.products[0].id, currency: "SEK" },
})) {
  refusals[name] = await client.checkout.anonymous.create(params).then(
    () => "accepted",
    (error) => ({ status: error.status, errors: error.errors }),
  );
}

console.log(JSON.stringify({ session, status: response.status, answer: await response.json(), refusals }));
