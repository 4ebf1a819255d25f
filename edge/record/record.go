// Package record defines how the domain's types are stored, as JSON with member names of its own, and the port of a database,
// [Store].
//
// [Marshal] encodes a domain value as a record, [Unmarshal] decodes it. Renaming a field of a domain type does not change the
// records. The records serve every store: as values in Badger, or as a JSON column in an SQL database.
//
// # Format
//
// A record is a JSON object. Its member "v" is the version of its type. Enumerated values are stored by name, days as
// "2026-11-23", instants as Unix milliseconds, amounts as integers of minor units, rates as integers of 1e-5. A member that
// is empty is absent.
//
// Version 0 has no "v". Its members have the names of Go fields, which differ from the current names in case only, and its
// enumerated values and days are numbers. The decoder ignores case and accepts both forms.
//
// # Changing a record
//
// To add a member, increase the type's version and add a golden record. If the member is absent, the record must mean what it
// meant before. A member whose meaning changes gets another name. A record of an unknown version is not decoded: the error is
// [ErrVersion]. The tests compare each type's members with testdata/schema.txt, and decode the golden records of each version.
package record

import (
	"errors"
	"fmt"

	"github.com/goccy/go-json"

	"github.com/crepe-checkout/crepe/edge/auth"
	"github.com/crepe-checkout/crepe/edge/catalog"
	"github.com/crepe-checkout/crepe/edge/erasure"
	"github.com/crepe-checkout/crepe/edge/idempotency"
	"github.com/crepe-checkout/crepe/edge/invoices"
	"github.com/crepe-checkout/crepe/edge/notify"
	"github.com/crepe-checkout/crepe/edge/orders"
	"github.com/crepe-checkout/crepe/edge/plugins"
	"github.com/crepe-checkout/crepe/edge/sessions"
	"github.com/crepe-checkout/crepe/edge/vies"
)

var (
	// ErrVersion is the error of decoding a record of a newer version of the program.
	ErrVersion = errors.New("record: written by a newer version of crepe; start that version")
	// ErrDamaged is the error of decoding a record that is not JSON of its type.
	ErrDamaged = errors.New("record: damaged")
)

// Marshal encodes a domain value: a pointer to a session, order, quarantined event, fact, endpoints, delivery, check of a VAT number, merchant, store, product,
// version of a product, signing key, token state, idempotent answer, entry of an erasure, rules or content of a rule. It panics for any other type. The attempts of an order must agree on product
// and terms.
func Marshal(v any) ([]byte, error) {
	switch v := v.(type) {
	case *sessions.Session:
		return encodeSession(v)
	case *orders.Order:
		return encodeOrder(v)
	case *orders.Quarantined:
		return encodeQuarantined(v)
	case *orders.Fact:
		return encodeFact(v)
	case *notify.Endpoints:
		return encodeEndpoints(v)
	case *notify.Delivery:
		return encodeDelivery(v)
	case *invoices.Document:
		return encodeDocument(v)
	case *invoices.Mail:
		return encodeMail(v)
	case *vies.Check:
		return encodeVATCheck(v)
	case *catalog.Merchant:
		return encodeMerchant(v)
	case *catalog.Store:
		return encodeStore(v)
	case *catalog.Product:
		return encodeProduct(v)
	case *catalog.Version:
		return encodeVersion(v)
	case *auth.SigningKey:
		return encodeSigningKey(v)
	case *auth.TokenState:
		return encodeToken(v)
	case *idempotency.Answer:
		return encodeAnswer(v)
	case *erasure.Entry:
		return encodeErasure(v)
	case *plugins.Rules:
		return encodeRules(v)
	case *plugins.Content:
		return encodeRuleContent(v)
	}
	panic(fmt.Sprintf("record: %T has no record", v))
}

// Unmarshal decodes a record of any version into the domain value that v points to, of the types that Marshal takes. Its errors are
// [ErrVersion] and [ErrDamaged]. After an error the value is unchanged.
func Unmarshal(text []byte, v any) error {
	switch v := v.(type) {
	case *sessions.Session:
		return into(v, text, decodeSession)
	case *orders.Order:
		return into(v, text, decodeOrder)
	case *orders.Quarantined:
		return into(v, text, decodeQuarantined)
	case *orders.Fact:
		return into(v, text, decodeFact)
	case *notify.Endpoints:
		return into(v, text, decodeEndpoints)
	case *notify.Delivery:
		return into(v, text, decodeDelivery)
	case *invoices.Document:
		return into(v, text, decodeDocument)
	case *invoices.Mail:
		return into(v, text, decodeMail)
	case *vies.Check:
		return into(v, text, decodeVATCheck)
	case *catalog.Merchant:
		return into(v, text, decodeMerchant)
	case *catalog.Store:
		return into(v, text, decodeStore)
	case *catalog.Product:
		return into(v, text, decodeProduct)
	case *catalog.Version:
		return into(v, text, decodeVersion)
	case *auth.SigningKey:
		return into(v, text, decodeSigningKey)
	case *auth.TokenState:
		return into(v, text, decodeToken)
	case *idempotency.Answer:
		return into(v, text, decodeAnswer)
	case *erasure.Entry:
		return into(v, text, decodeErasure)
	case *plugins.Rules:
		return into(v, text, decodeRules)
	case *plugins.Content:
		return into(v, text, decodeRuleContent)
	}
	panic(fmt.Sprintf("record: %T has no record", v))
}

func into[T any](v *T, text []byte, decode func([]byte) (*T, error)) error {
	decoded, err := decode(text)
	if err == nil {
		*v = *decoded
	}
	return err
}

// header is the first member of every record.
type header struct {
	V int `json:"v"`
}

func (h header) version() int { return h.V }

func encode(record any) ([]byte, error) {
	text, err := json.Marshal(record)
	if err != nil {
		return nil, fmt.Errorf("record: %w", err)
	}
	return text, nil
}

// decode decodes a record into r, a pointer to a struct with a header.
func decode(text []byte, r interface{ version() int }, newest int) error {
	if err := json.Unmarshal(text, r); err != nil {
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	if v := r.version(); v < 0 || v > newest {
		return fmt.Errorf("%w: version %d", ErrVersion, v)
	}
	return nil
}

// mapped converts a slice element by element; nil stays nil.
func mapped[From, To any](from []From, convert func(From) To) []To {
	if from == nil {
		return nil
	}
	to := make([]To, len(from))
	for i := range from {
		to[i] = convert(from[i])
	}
	return to
}
