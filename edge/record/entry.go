package record

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
)

// Entry is one thing that a store holds, in a form that does not depend on the store: a record, a setting, a slug or an applied event.
// Whatever else a store has, such as indexes and counters, follows from its entries.
type Entry struct {
	Kind Kind

	// Key identifies the entry among those of its kind. It is made of the record's id, with the environment and what else the id needs to
	// be unique in front of it, divided by slashes.
	Key string

	// Value is a pointer to a domain value that [Marshal] takes; of a setting and a slug bytes; nil of an event.
	Value any

	// Until is when the entry expires, in Unix milliseconds; 0 is never. Of an event, a token and an answer it is a whole second.
	Until int64
}

// Kind is the kind of an entry.
type Kind string

// The kinds of entries, with their keys.
const (
	Setting     Kind = "settings"                // "deployment", "webhook-key/test", "webhook-key/prod", "erasure-key"
	Merchant    Kind = "merchants"               // id
	Shop        Kind = "stores"                  // id
	Slug        Kind = "slugs"                   // the slug; the value is the id of its store
	Product     Kind = "products"                // id
	Version     Kind = "product versions"        // product/id
	Session     Kind = "checkout sessions"       // id
	Order       Kind = "orders"                  // id; with payments, refund tickets and refunds
	Quarantined Kind = "quarantined events"      // environment/provider/id
	Event       Kind = "provider events applied" // environment/provider/id
	Token       Kind = "session tokens"          // environment/id
	SigningKey  Kind = "signing keys"            // environment/id
	Answer      Kind = "idempotent answers"      // environment/hash
	Fact        Kind = "outbox"                  // number, 20 digits
	Document    Kind = "documents"               // token
	Mail        Kind = "e-mails"                 // token
	VATCheck    Kind = "VAT checks"              // environment/store/order
	Endpoints   Kind = "webhook endpoints"       // environment/store
	Delivery    Kind = "webhook deliveries"      // id
	Erasure     Kind = "erasures"                // id
	Rules       Kind = "rules"                   // store
	RuleContent Kind = "rule contents"           // store/number
)

// Kinds are all kinds.
var Kinds = []Kind{Setting, Merchant, Shop, Slug, Product, Version, Session, Order, Quarantined, Event, Token, SigningKey, Answer, Fact,
	Document, Mail, VATCheck, Endpoints, Delivery, Erasure, Rules, RuleContent}

// Portable is a store whose entries can be copied to another store.
type Portable interface {
	// Export calls visit with every entry as of one moment, except those that have expired, and the use that Claim has stored. Products
	// come before their versions, and sessions before their orders. An error of visit ends it and is returned. What the store holds
	// and cannot read or does not know is an error.
	Export(ctx context.Context, visit func(Entry) error) error

	// Entries returns how many entries there are, perhaps with some that have expired.
	Entries(ctx context.Context) (int, error)

	// Import adds entries that the store does not hold yet, all of one kind, with all that follows from them. A product must be there
	// before its versions, and a session before its orders. After an error some may have been added.
	Import(ctx context.Context, entries []Entry) error
}

// Bytes returns what a store has of the value: its record in the current version, or its bytes.
func (e *Entry) Bytes() ([]byte, error) {
	switch v := e.Value.(type) {
	case nil:
		return nil, nil
	case []byte:
		return v, nil
	}
	return Marshal(e.Value)
}

// Hash returns the SHA-256 of kind, key, expiry and value.
func (e *Entry) Hash() (hash [sha256.Size]byte, err error) {
	if !slices.Contains(Kinds, e.Kind) {
		return hash, fmt.Errorf("record: %q is no kind", e.Kind)
	}
	value, err := e.Bytes()
	if err != nil {
		return hash, err
	}
	text := fmt.Appendf(nil, "%s\x00%s\x00", e.Kind, e.Key)
	text = binary.BigEndian.AppendUint64(text, uint64(e.Until))
	return sha256.Sum256(append(text, value...)), nil
}

// WholeSecond returns the first whole second that is not before an instant, both in Unix milliseconds.
func WholeSecond(milli int64) int64 { return (milli + 999) / 1000 * 1000 }
