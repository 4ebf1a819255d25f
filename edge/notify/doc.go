// Package notify tells merchants what has happened to their orders.
//
// A commit of package orders puts facts into the outbox, in its own transaction ([orders.Change].Facts). [Service] takes the facts
// one after the other, and writes in one commit all that follows from a fact.
//
// A [Signer] signs what is sent, with one key for each environment. A merchant configures its public key once, so that the key
// outlives every restart.
package notify
