// Package oracle holds the Stripe adapter and the sandbox to what Stripe publishes: the requests that stripe-go sends, the
// webhooks that it signs and accepts, and the parameters of the OpenAPI description in stripe-mock.
//
// It has tests only, and it is a module of its own: crepe speaks to Stripe with none of these libraries, so the product's
// go.mod must not name them. "go test ./..." in the root does not come here, make test and make fuzz do. It shares the
// root's requirements; when go says that go.mod needs updates, "go mod tidy" here follows the root.
//
// Caveats: stripe-go is of an older API version (2026-03-25) than the adapter and the description (2026-08-26); all three
// agree on everything that the adapter sends. stripe-mock refuses unknown names at the top level only and does not count
// characters, so names and lengths are looked up in the description itself. It has no state: sums, time windows, idempotency
// keys and refusals are not its subject, the sandbox's tests are about them.
package oracle
