// A buyer presses the package's button for a permanent link. Prints the URL that the browser would load.
import { createElement } from "react";
import { renderToString } from "react-dom/server";
import { useCheckout } from "@waffo/pancake-nextjs";

const [baseUrl, storeSlug, productId] = process.argv.slice(2);
let press;
function Button() {
  press = useCheckout({
    type: "link", baseUrl, storeSlug, productId, currency: "EUR", email: "ada@example.com", country: "DE", isBusiness: true,
    successUrl: "https://example.com/thank-you?a=b&c=d", test: true,
  }).checkout;
  return null;
}
renderToString(createElement(Button));
globalThis.window = { location: {} };
press();
console.log(window.location.href);
