package badgerstore

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/durable"
	"github.com/crepe-checkout/crepe/edge/orders"
	"github.com/crepe-checkout/crepe/edge/sessions"
)

// tokens name the entries of the indexes for one order. They are stored in front of the order, so that the writer can replace the
// entries without parsing the record. An order that is not visible in the API has none.
//
//	c/<created>              when it was created; the first token
//	s/<status>               its list by status, and the number of those
//	i/<hash>, e/<hash>       its lists by the buyer's identity and e-mail address
//	x/<hash>                 its list by external id
//	p/<status>/<at>/<id>     a payment
//	t/<status>/<at>/<id>     a refund ticket
//	f/<state>/<at>/<id>      a refund
//	q/<hash>                 a payment that has succeeded, by the provider's id
//	r/<day>/<currency>/<sum> what it has sold
type tokens []string

func parseTokens(text string) tokens { return strings.Fields(text) }

func (t tokens) size() int { return len(strings.Join(t, " ")) }

func (t tokens) append(to []byte) []byte { return append(to, strings.Join(t, " ")...) }

// keep adds the external id, which no commit but the first knows.
func (t tokens) keep(stored tokens) tokens {
	isExternal := func(token string) bool { return strings.HasPrefix(token, "x/") }
	if i := slices.IndexFunc(stored, isExternal); i >= 0 && !slices.ContainsFunc(t, isExternal) {
		return append(t, stored[i])
	}
	return t
}

// hashed is a text of any length as a part of a key.
func hashed(text string) string {
	sum := sha256.Sum256([]byte(text))
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}

func identityList(identity string) string { return "i/" + hashed(orders.BuyerKey(identity)) }

func emailList(address string) string { return "e/" + hashed(address) }

func externalList(id string) string { return "x/" + hashed(id) }

// tokensOf returns the tokens of an order. session is its session if the change holds it.
func tokensOf(o *orders.Order, session *sessions.Session) (t tokens) {
	if session != nil && session.ExternalID != "" && session.OrderID == o.ID {
		t = append(t, externalList(session.ExternalID))
	}
	status, visible := o.Published()
	if !visible {
		return t
	}
	sold := o.Sold()
	t = append(t, "c/"+strconv.FormatInt(o.CreatedAt, 10), "s/"+status)
	if sold.BuyerIdentity != "" {
		t = append(t, identityList(sold.BuyerIdentity))
	}
	if sold.BuyerEmail != "" {
		t = append(t, emailList(sold.BuyerEmail))
	}
	for _, p := range o.Payments {
		t = append(t, fmt.Sprintf("p/%s/%d/%s", p.Status, p.At, p.ID))
		if p.Status == orders.Succeeded && p.Ref != "" {
			t = append(t, "q/"+hashed(p.Provider+"/"+p.Ref))
		}
	}
	for i := range o.Tickets {
		t = append(t, fmt.Sprintf("t/%s/%d/%s", o.Tickets[i].Status, o.Tickets[i].CreatedAt, o.Tickets[i].ID))
	}
	for i := range o.Refunds {
		t = append(t, fmt.Sprintf("f/%s/%d/%s", o.Refunds[i].State, o.Refunds[i].CreatedAt, o.Refunds[i].ID))
	}
	if at := o.PaidAt(); at != 0 && o.State.Settled() {
		t = append(t, fmt.Sprintf("r/%s/%s/%d", time.UnixMilli(at).UTC().Format(time.DateOnly), sold.Quote.Currency, sold.Quote.Assessment.Total))
	}
	return t
}

// created returns the time of creation in the tokens; ok is false if the order is not visible.
func (t tokens) created() (at int64, ok bool) {
	for _, token := range t {
		if text, found := strings.CutPrefix(token, "c/"); found {
			at, err := strconv.ParseInt(text, 10, 64)
			return at, err == nil
		}
	}
	return 0, false
}

// position sorts by time, the latest first, and then by id: milliseconds have thirteen digits until the year 2286.
func position(at int64, id string) string { return backwards(at) + "/" + id }

func backwards(at int64) string { return fmt.Sprintf("%013d", maxMilli-at) }

const maxMilli = 9_999_999_999_999

func listPrefix(prefix, list string) string { return prefix + "/ol/" + list + "/" }

// itemPrefix is the prefix of a list of payments (kind "p"), tickets ("t") or refunds ("f").
func itemPrefix(prefix, kind, status string) string {
	return prefix + "/" + kind + "l/" + status + "/"
}

func openTicketPrefix(env checkout.Environment) string { return string(env) + "/-/ot/" }

// refKey is the key that holds the key of the order with a payment; hash is of the provider and its id of the payment. A
// provider's id is the same in every store.
func refKey(prefix, hash string) string { return environmentOf(prefix) + "/-/op/" + hash }

func environmentOf(prefix string) string {
	env, _, _ := strings.Cut(prefix, "/")
	return env
}

func countKey(prefix, list string) string { return prefix + "/oc/" + list }

func salesPrefix(prefix string) string { return prefix + "/sd/" }

// entries is what a set of tokens puts into the indexes: keys with their values, and what it adds to counters.
type entries struct {
	keys   []entry
	counts []count
}

type entry struct {
	key   string
	value []byte
}

type count struct {
	key string
	add sum
}

// sum is the value of a counter: a number of orders or payments, and in the sales an amount.
type sum struct{ count, total int64 }

func entriesOf(prefix, id string, t tokens) (e entries) {
	created, visible := t.created()
	if !visible {
		return e
	}
	for _, token := range t {
		kind, rest, _ := strings.Cut(token, "/")
		parts := strings.Split(rest, "/")
		switch {
		case kind == "s":
			e.count(countKey(prefix, token), 1, 0)
			fallthrough
		case kind == "i", kind == "e", kind == "x":
			e.put(listPrefix(prefix, token)+position(created, id), []byte{})
		case (kind == "p" || kind == "t" || kind == "f") && len(parts) == 3:
			at, _ := strconv.ParseInt(parts[1], 10, 64)
			e.put(itemPrefix(prefix, kind, parts[0])+position(at, parts[2]), []byte(id))
			e.count(countKey(prefix, kind+"/"+parts[0]), 1, 0)
			e.locate(prefix, id, kind, parts[0], parts[2])
		case kind == "q":
			e.put(refKey(prefix, rest), []byte(recordKey(prefix, kindOrder, id)))
		case kind == "r" && len(parts) == 3:
			total, _ := strconv.ParseInt(parts[2], 10, 64)
			e.count(salesPrefix(prefix)+parts[0]+"/"+parts[1], 1, total)
		}
	}
	return e
}

// locate adds the entries by which the order of a payment or ticket is found.
func (e *entries) locate(prefix, orderID, kind, status, item string) {
	order := []byte(recordKey(prefix, kindOrder, orderID))
	switch kind {
	case "p":
		e.put(locator(kindPayment, item), order)
	case "t":
		e.put(locator(kindTicket, item), order)
		if orders.TicketStatus(status).Open() {
			e.put(openTicketPrefix(checkout.Environment(environmentOf(prefix)))+item, order)
		}
	}
}

func (e *entries) put(key string, value []byte) { e.keys = append(e.keys, entry{key, value}) }

func (e *entries) count(key string, number, total int64) {
	i := slices.IndexFunc(e.counts, func(c count) bool { return c.key == key })
	if i < 0 {
		i = len(e.counts)
		e.counts = append(e.counts, count{key: key})
	}
	e.counts[i].add.count += number
	e.counts[i].add.total += total
}

func (e *entries) has(key string) bool {
	return slices.ContainsFunc(e.keys, func(k entry) bool { return k.key == key })
}

// reindex replaces the index entries of an order.
func reindex(tx *durable.Tx, prefix, id string, before, after tokens) error {
	if slices.Equal(before, after) {
		return nil
	}
	old, next := entriesOf(prefix, id, before), entriesOf(prefix, id, after)
	for _, e := range old.keys {
		if !next.has(e.key) {
			tx.Delete(e.key)
		}
	}
	for _, e := range next.keys {
		if !old.has(e.key) {
			tx.Put(e.key, e.value)
		}
	}
	for _, c := range old.counts {
		next.count(c.key, -c.add.count, -c.add.total)
	}
	return addSums(tx, next.counts)
}

// addSums adds to counters, each of which is there once.
func addSums(tx *durable.Tx, changes []count) error {
	for _, c := range changes {
		if c.add == (sum{}) {
			continue
		}
		stored, err := readSum(tx.Get, c.key)
		if err != nil {
			return err
		}
		tx.Put(c.key, sum{stored.count + c.add.count, stored.total + c.add.total}.bytes())
	}
	return nil
}

func (s sum) bytes() []byte {
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, uint64(s.count)), uint64(s.total))
}

func readSum(get func(string) ([]byte, error), key string) (sum, error) {
	value, err := get(key)
	if errors.Is(err, durable.ErrNotFound) {
		return sum{}, nil
	}
	if err != nil {
		return sum{}, err
	}
	return parseSum(value)
}

func parseSum(value []byte) (sum, error) {
	if len(value) != 16 {
		return sum{}, errUnknownRecord
	}
	return sum{int64(binary.BigEndian.Uint64(value)), int64(binary.BigEndian.Uint64(value[8:]))}, nil
}
