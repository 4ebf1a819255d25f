// Package vies asks the European Commission's VIES whether the VAT numbers of buyers are registered, after their orders were paid,
// and stores the answers. A sale never waits for it and never depends on it.
//
// A [Check] is the record of one order. It is made in the commit that handles the fact of the payment (package notify), for an order
// whose buyer owes the tax because of a number that VIES knows: one of a member state, or of Northern Ireland (XI). VIES does not
// know numbers of the United Kingdom (GB). [Service] asks about the checks that are due, one at a time.
//
// If the store's own VAT number is one that VIES knows, VIES is told it and gives a consultation number, with which the seller proves
// that it asked. Without one the answer is stored alone.
//
// VIES is often down, for one member state or for all. A check that gets no answer is due again later; after a week of tries it has
// failed. What is due is stored, so that a restart forgets nothing, and a check that was asked about twice is stored once, by
// compare-and-set.
//
// Numbers, names and addresses are in the records, and never in a log or an error.
package vies
