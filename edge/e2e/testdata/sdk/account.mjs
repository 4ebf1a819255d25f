// A merchant's server as `crepe merchant create`, `crepe key create` and `crepe store create` configure it, by environment variables
// only. It creates a product, or publishes that of the first argument, and prints the product's id, a session token, and the checkout
// session that it opens, or why none was opened.
import { WaffoPancake } from "@waffo/pancake-ts";

const client = new WaffoPancake({
  merchantId: process.env.WAFFO_MERCHANT_ID,
  privateKey: process.env.WAFFO_PRIVATE_KEY,
  baseUrl: process.env.WAFFO_BASE_URL,
});
const storeId = process.env.WAFFO_STORE_ID;
const { product } = process.argv[2]
  ? await client.onetimeProducts.publish({ id: process.argv[2] })
  : await client.onetimeProducts.create({ storeId, name: "Notebook", prices: { EUR: { amount: "29.00", taxCategory: "saas" } } });
const { token } = await client.auth.issueSessionToken({ storeId, buyerIdentity: "user-17" });
const opened = await client.checkout.authenticated.create({ productId: product.id, currency: "EUR", buyerIdentity: "user-17" }).then(
  (session) => ({ sessionId: session.sessionId }),
  (error) => ({ code: error.errors[0].code }),
);
console.log(JSON.stringify({ productId: product.id, token, ...opened }));
