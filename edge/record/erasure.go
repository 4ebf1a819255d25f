package record

import (
	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/erasure"
)

const erasureVersion = 1

// erased is a buyer's request that was carried out.
type erased struct {
	header
	ID          string               `json:"id"`
	At          int64                `json:"at"`
	Buyer       string               `json:"buyer"` // a keyed hash
	Environment checkout.Environment `json:"environment,omitempty"`
	StoreID     string               `json:"storeId,omitempty"`
	Counts      []erasedCount        `json:"counts,omitempty"`
}

type erasedCount struct {
	Kind    string          `json:"kind"`
	Outcome erasure.Outcome `json:"outcome"`
	N       int             `json:"n"`
	Until   int64           `json:"until,omitempty"`
}

func encodeErasure(e *erasure.Entry) ([]byte, error) {
	return encode(&erased{header{erasureVersion}, e.ID, e.At, e.Buyer, e.Environment, e.StoreID,
		mapped(e.Counts, func(c erasure.Count) erasedCount { return erasedCount(c) })})
}

func decodeErasure(text []byte) (*erasure.Entry, error) {
	var r erased
	if err := decode(text, &r, erasureVersion); err != nil {
		return nil, err
	}
	return &erasure.Entry{ID: r.ID, At: r.At, Buyer: r.Buyer, Environment: r.Environment, StoreID: r.StoreID,
		Counts: mapped(r.Counts, func(c erasedCount) erasure.Count { return erasure.Count(c) })}, nil
}
