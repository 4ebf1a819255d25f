// A customer's page, as its author would write it: the SDK with a session token cancels an order, asks for a refund and, when a line
// on standard input says that the ticket was rejected, submits it again. Prints a line of JSON for each answer.
import { createInterface } from "node:readline";
import { readFileSync } from "node:fs";
import { WaffoPancake } from "@waffo/pancake-ts";

const [file, unpaidOrder, paymentId] = process.argv.slice(2);
const dev = JSON.parse(readFileSync(file, "utf8"));
const client = new WaffoPancake({ merchantId: dev.merchantId, privateKey: dev.privateKey.test, baseUrl: dev.baseUrl });
const { token } = await client.auth.issueSessionToken({ storeId: dev.storeId, buyerIdentity: "user-17" });
const customer = client.customer(token, { environment: "test" });
const tell = (what) => console.log(JSON.stringify(what));
const refused = (error) => ({ status: error.status, errors: error.errors });

tell(await customer.cancelOnetimeOrder({ orderId: unpaidOrder }));
const requestedAmount = { amount: "3.00", currency: "EUR" };
const { ticket } = await customer.createRefundTicket({
  paymentId,
  reason: "Product not as described",
  requestedAmount,
  metadata: { channel: "form" },
  refundTicketMerchantExternalId: "REF-2026-00891",
});
tell({ ticket });
for await (const line of createInterface({ input: process.stdin })) {
  if (line === "resubmit") {
    const again = { ticketId: ticket.id, paymentId, reason: "Really not as described", requestedAmount };
    tell(await customer.resubmitRefundTicket(again).catch(refused));
  } else if (line === "payments") {
    tell(await client.graphql.query({ query: `{ payments { id refundStatus } }` }));
  }
}
