package record

import (
	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/orders"
)

const factVersion = 1

type fact struct {
	header
	Kind        orders.FactKind      `json:"kind"`
	Environment checkout.Environment `json:"environment"`
	StoreID     string               `json:"storeId"`
	OrderID     string               `json:"orderId"`
	EventID     string               `json:"eventId"`
	At          int64                `json:"at"`
}

func encodeFact(f *orders.Fact) ([]byte, error) {
	return encode(&fact{header{factVersion}, f.Kind, f.Environment, f.StoreID, f.OrderID, f.EventID, f.At})
}

func decodeFact(text []byte) (*orders.Fact, error) {
	var r fact
	if err := decode(text, &r, factVersion); err != nil {
		return nil, err
	}
	return &orders.Fact{Kind: r.Kind, Environment: r.Environment, StoreID: r.StoreID, OrderID: r.OrderID, EventID: r.EventID, At: r.At}, nil
}
