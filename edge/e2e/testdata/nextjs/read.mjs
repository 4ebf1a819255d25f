// Runs every GraphQL query that the installed packages contain, as their users would: those of the SDK's documents and source, and
// those of the hooks. Prints each query with its answer. Arguments: dev.json, ids of an order and its buyer as JSON.
import { readFileSync } from "node:fs";
import { WaffoPancake } from "@waffo/pancake-ts";

const dev = JSON.parse(readFileSync(process.argv[2], "utf8"));
const known = JSON.parse(process.argv[3]);
const sdk = "node_modules/@waffo/pancake-ts/", hooks = "node_modules/@waffo/pancake-nextjs/";

const client = new WaffoPancake({ merchantId: dev.merchantId, privateKey: dev.privateKey.test, baseUrl: dev.baseUrl });
const { token } = await client.auth.issueSessionToken({ storeId: dev.storeId, buyerIdentity: known.buyerIdentity });
const customer = client.customer(token, { environment: "test" });

const queries = [];
const collect = (file, pattern) => {
  for (const match of readFileSync(new URL(file, import.meta.url), "utf8").matchAll(pattern)) {
    const text = match[2].replace(/^\s*\* ?/gm, "");
    queries.push({ file: file.replace("node_modules/@waffo/", ""), customer: /CUSTOMER|\borders \{ id/.test(match[1] + text), text });
  }
};
for (const file of ["docs/graphql-guide.md", "docs/api-reference.md", "README.md", "dist/index.js"]) {
  collect(sdk + file, /(query): `([^`]+)`/g);
}
collect(hooks + "dist/index.js", /var (\w+_QUERY) = `([^`]+)`/g);
collect(hooks + "README.md", /(query): `([^`]+)`/g);

// The values of a query's variables, by their names and by the field that takes them.
const variables = (text) => {
  const values = {};
  for (const [, name] of text.slice(0, text.indexOf("{")).matchAll(/\$(\w+):/g)) {
    values[name] = {
      storeId: dev.storeId,
      productId: known.productId,
      limit: 20,
      ref: text.includes("refundTicketMerchantExternalId") ? known.ticketRef : known.orderRef,
      id: /\bstore\(/.test(text) ? dev.storeId : /\bmerchant\(/.test(text) ? dev.merchantId : /Order\(/.test(text) ? known.orderId : known.productId,
    }[name];
  }
  return values;
};

for (const query of queries) {
  query.answer = await (query.customer ? customer : client).graphql.query({ query: query.text, variables: variables(query.text) });
}
console.log(JSON.stringify(queries));
