// Command crepe is the edge server of the Crêpe checkout: it turns checkout sessions into orders that are paid exactly
// once, at a payment service provider's hosted page.
//
//	crepe dev      everything on this machine: a demo merchant, a sandbox provider, the hosted page
//	crepe serve    production
//	crepe repair   checks the databases of a stopped server, and mends what can be mended without loss
//	crepe orders   payments that wait for a person: quarantine, refund-due
//	crepe keys     the keys that sign session tokens: list, rotate, revoke
//	crepe trigger  lets the sandbox of a running crepe dev report an event
//	crepe quote    the tax on a sale, explained; one or a file of them
//	crepe taxid    a tax id checked; one or a file of them
//	crepe ready    whether a running server takes orders, for health checks
//	crepe version  what this binary was built from
//
// dev and serve start in this order: flags and variables, the port, which answers 503 from then on ([front]), the databases, each of them
// checked as a whole, the providers, the handlers. The orders wait until the provider's checkouts have been compared with the
// database. The end is the reverse: /readyz says so first, then the port closes, then the databases.
//
// edge/doc.go draws how its parts work together.
package main
