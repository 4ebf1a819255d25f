// Package oracle validates openapi.yaml, and the recorded exchanges and refusals against it, with libopenapi-validator. It is a
// module of its own, so that the server's module does not depend on the validator.
package oracle
