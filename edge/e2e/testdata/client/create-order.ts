import { WaffoPancake } from "@waffo/pancake-ts";
const client = new WaffoPancake({
sessionToken: window.WAFFO_SESSION_TOKEN, // 由商户门户注入
environment: "prod",
});
const result = await client.orders.createOnetime({
checkoutSessionId: "cs_550e8400-e29b-41d4-a716-446655440000",
buyerEmail: "customer@example.com",
billingDetail: {
country: "US",
isBusiness: false,
state: "CA",
},
successUrl: "https://example.com/thank-you",
});
console.log(result.checkoutUrl); // "https://checkout.stripe.com/c/pay/cs_xxx"
