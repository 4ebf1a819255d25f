// Package oracle checks the Stripe adapter and the sandbox against what Stripe publishes: the requests that stripe-go
// sends, the webhooks that it signs and accepts, and the parameters that the OpenAPI description in stripe-mock allows.
//
// It holds tests only, and it is a module of its own: crepe speaks to Stripe with none of these libraries, so the
// product's go.mod must not name them. "go test ./..." in the root does not come here; make test and make fuzz do. When the
// root's requirements move, "go mod tidy" here follows them.
//
// The description is two API versions apart from stripe-go's (2026-08-26 and 2026-03-25); both know every parameter that
// the adapter sends. It is a description of shapes: lengths, sums, time windows and idempotency are not checked by
// stripe-mock and have tests of their own, the lengths here, the rest in the packages stripe and sandbox.
package oracle
