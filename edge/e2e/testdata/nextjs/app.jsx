// A merchant's shop in the browser, on the components and hooks of @waffo/pancake-nextjs. server.mjs serves it.
import { createRoot } from "react-dom/client";
import {
  CheckoutButton, TaxCategory, useCustomer, useCustomerOrders, useCustomerPayments, useCustomerRefundTickets, useMerchantOrders,
  useMerchantSales, WaffoPancakeProvider,
} from "@waffo/pancake-nextjs";

const shop = JSON.parse(document.getElementById("shop").textContent);
const identity = new URLSearchParams(location.search).get("customer");

// action calls a function of server.mjs, as Next.js calls a server action.
const action = (name) => async (...args) => {
  const response = await fetch(`/actions/${name}`, { method: "POST", body: JSON.stringify(args) });
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.message);
  return answer;
};
const checkout = action("checkout"), merchantQuery = action("merchantQuery");
const customer = { identity, storeId: shop.storeId, issueToken: action("issueCustomerToken"), sessionAction: action("customerAction") };

const article = { productId: shop.productId, currency: "EUR", successUrl: `${location.origin}/?thanks` };

const Buttons = () => (
  <section>
    <CheckoutButton
      {...article} type="link" mode="popup" baseUrl={shop.baseUrl} storeSlug={shop.storeSlug} test email="link@fieldnotes.example" country="DE"
    >
      Buy by link
    </CheckoutButton>
    <CheckoutButton {...article} action={checkout} priceSnapshot={{ amount: "19.00", taxCategory: TaxCategory.DigitalGoods }}>
      Buy as a guest
    </CheckoutButton>
    <CheckoutButton
      {...article} type="authenticated" mode="popup" action={checkout} buyerIdentity={identity} buyerEmail="ada@fieldnotes.example"
      billingDetail={{ country: "DE", isBusiness: false }} loadingChildren="Opening the checkout"
    >
      Buy with my account
    </CheckoutButton>
  </section>
);

const paid = ({ status, snapshotDisplayAmount, snapshotDisplayCurrency }) => `${snapshotDisplayAmount} ${snapshotDisplayCurrency} ${status}`;
const sold = (order) => [order.product?.name, order.status, order.buyerEmail, ...order.payments.map(paid)].join(", ");

// List shows what a hook has read.
const List = ({ name, read: { data, error, refetch }, rows }) => (
  <section>
    <h2>{name}</h2>
    <button onClick={refetch}>Refresh {name}</button>
    <ul aria-label={name}>
      {error && <li>{error.message}</li>}
      {data && rows(data).map((row, i) => <li key={i}>{row}</li>)}
    </ul>
  </section>
);

function Account() {
  const { createRefundTicket } = useCustomer();
  const payments = useCustomerPayments();
  const refund = () => createRefundTicket.execute({
    paymentId: payments.data[0].id,
    reason: "It is not what I expected.",
    requestedAmount: { amount: "10.00", currency: "EUR" },
  });
  return (
    <>
      <List name="My orders" read={useCustomerOrders()} rows={(data) => [...data.onetimeOrders, ...data.subscriptionOrders].map(sold)} />
      <List name="My payments" read={payments} rows={(data) => data.map(paid)} />
      <List
        name="My refunds" read={useCustomerRefundTickets()}
        rows={(data) => data.map(({ status, versionData }) => `${status}, ${versionData.requestedAmount.amount}, ${versionData.reason}`)}
      />
      <button onClick={refund}>Ask for a refund</button>
      <output aria-label="Ticket">{createRefundTicket.data?.status}</output>
    </>
  );
}

const Merchant = () => (
  <>
    <List name="Orders" read={useMerchantOrders(merchantQuery, { storeId: shop.storeId })} rows={(data) => data.onetimeOrders.map(sold)} />
    <List
      name="Sales" read={useMerchantSales(merchantQuery, shop.storeId)}
      rows={({ totalOrders, totalRevenue, currency, totalCustomers }) => [`${totalOrders} orders, ${totalRevenue} ${currency}, ${totalCustomers} customers`]}
    />
  </>
);

createRoot(document.getElementById("root")).render(
  identity ? <WaffoPancakeProvider customer={customer}><Buttons /><Account /></WaffoPancakeProvider> : <Merchant />,
);
