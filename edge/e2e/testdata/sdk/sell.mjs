// A merchant's back office, as its author would write it: a store and a product with the public SDK, published and sold in both
// environments. Prints what the test goes on with.
import { readFileSync } from "node:fs";
import { ProductVersionStatus, TaxCategory, WaffoPancake } from "@waffo/pancake-ts";

const dev = JSON.parse(readFileSync(process.argv[2], "utf8"));
const client = (environment) =>
  new WaffoPancake({ merchantId: dev.merchantId, privateKey: dev.privateKey[environment], baseUrl: dev.baseUrl });
const [test, prod] = [client("test"), client("prod")];

const { store } = await test.stores.create({ name: "Field Notes" }, { idempotencyKey: "create-store-1" });
const again = await test.stores.create({ name: "Field Notes" }, { idempotencyKey: "create-store-1" });
const updated = await test.stores.update({
  id: store.id,
  name: "Field Notes Berlin",
  logo: "https://fieldnotes.example/logo.svg",
  checkoutSettings: { defaultDarkMode: true, light: { checkoutColorPrimary: "#0f5c4a" }, dark: null },
  notificationSettings: { notifyNewOrders: false, emailOrderConfirmation: false },
  webhookSettings: { testWebhookUrl: "https://fieldnotes.example/hook" },
  seller: { country: "DE", registrations: [{ jurisdiction: "EU", from: "2026-01-01" }], legalName: "Feldnotizen GmbH" },
});

const { product } = await test.onetimeProducts.create({
  storeId: store.id,
  name: "Field guide",
  description: "A guide to the trees of Europe.",
  prices: { EUR: { amount: "19.00", taxCategory: TaxCategory.Ebook }, JPY: { amount: "3200", taxCategory: TaxCategory.Ebook } },
  media: [{ type: "image", url: "https://fieldnotes.example/cover.jpg", alt: "The cover" }],
  successUrl: "https://fieldnotes.example/thanks",
  metadata: { sku: "guide-1", pages: 212 },
});

const buy = async (client, environment) => {
  const session = await client.checkout.authenticated.create({ productId: product.id, currency: "EUR", buyerIdentity: "ada@example.com" });
  const response = await fetch(`${dev.baseUrl}/v1/actions/onetime-order/create-order`, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-Environment": environment, Authorization: `Bearer ${session.token}` },
    body: JSON.stringify({ checkoutSessionId: session.sessionId, billingDetail: { country: "DE", isBusiness: false } }),
  });
  return { session, checkoutUrl: (await response.json()).data.checkoutUrl };
};
const refused = (call) => call.then(() => "accepted", (error) => ({ status: error.status, errors: error.errors }));

const inTest = await buy(test, "test");
const beforePublish = await refused(buy(prod, "prod"));
const published = await test.onetimeProducts.publish({ id: product.id });
const inProd = await buy(prod, "prod");
const edited = await test.onetimeProducts.update({ id: product.id, name: "Field guide, second edition" });
const inactive = await prod.onetimeProducts.updateStatus({ id: product.id, status: ProductVersionStatus.Inactive });
const afterStatus = await refused(buy(prod, "prod"));
const unsupported = await refused(
  test.subscriptionProducts.create({ storeId: store.id, name: "Club", billingPeriod: "monthly", prices: { EUR: { amount: "5.00", taxCategory: "saas" } } }),
);
const deleted = await test.stores.delete({ id: store.id });

console.log(JSON.stringify({ store, again: again.store, updated, product, published: published.product, edited: edited.product,
  inactive: inactive.product, deleted: deleted.store, inTest, inProd, beforePublish, afterStatus, unsupported }));
