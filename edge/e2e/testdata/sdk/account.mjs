// A merchant's server as `crepe merchant create` and `crepe key create` configure it, by environment variables only. Prints a
// session token for the store of the first argument, and the checkout session that it opens for the product of the second, or why
// none was opened.
import { WaffoPancake } from "@waffo/pancake-ts";

const client = new WaffoPancake({
  merchantId: process.env.WAFFO_MERCHANT_ID,
  privateKey: process.env.WAFFO_PRIVATE_KEY,
  baseUrl: process.env.WAFFO_BASE_URL,
});
const [storeId, productId] = process.argv.slice(2);
const { token } = await client.auth.issueSessionToken({ storeId, buyerIdentity: "user-17" });
const opened = await client.checkout.authenticated.create({ productId, currency: "EUR", buyerIdentity: "user-17" }).then(
  (session) => ({ sessionId: session.sessionId }),
  (error) => ({ code: error.errors[0].code }),
);
console.log(JSON.stringify({ token, ...opened }));
