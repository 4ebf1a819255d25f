// Package invoices makes receipts and credit notes, numbers them without gaps, and reports the tax on them.
//
// [Service.Issue] makes the [Document] of a fact: a receipt for a completed order, a credit note for a refund. Package notify
// writes it in the commit that takes the fact out of the outbox. The commit also moves the counter of the number, so a number is
// neither skipped nor used twice, whenever the process dies.
//
// A document freezes everything that it shows. It does not change when the store's name, the tax rules or the program change. Its
// token is a capability: whoever has it can read the document.
//
// [Store] is the port to a database. [Invoice] is a document as JSON, with the field names of GOBL. [Report] sums documents up for
// a tax return.
package invoices
