// Command crepe runs and operates the edge server of the Crêpe checkout.
//
//	crepe dev        everything on this machine: a demo merchant, a sandbox provider, the hosted page
//	crepe serve      production
//	crepe repair     checks the databases of a stopped server and repairs them where no data is lost
//	crepe orders     payments that need a person: quarantine, refund-due, vat-checks
//	crepe refund     refund tickets: list, approve, reject; create a refund
//	crepe merchant   merchants: create, list
//	crepe key        a merchant's API keys: create, list, rotate, revoke
//	crepe store      stores and what tax and receipts need of the seller: create, list, set
//	crepe plugin     a store's own rules as WebAssembly modules: check, run, upload, publish, unpublish, list, remove
//	crepe token-key  the keys that sign session tokens: list, rotate, revoke
//	crepe trigger    makes the sandbox of a running crepe dev report an event
//	crepe quote      the tax on a sale, explained; one or a file of them
//	crepe taxid      a tax id checked; one or a file of them
//	crepe config     the settings of serve and where they are from; all faults at once
//	crepe doctor     examines a deployment: provider, webhooks, public URL, clock, disk, limits, permissions, database
//	crepe ready      whether a running server takes orders, for health checks
//	crepe version    what this binary was built from
//
// Each command has a file of its own. settings.go has the settings of dev and serve, flags.go and configfile.go read them from
// flags, variables and a file, secret.go has secrets; package server has what they run.
package main
