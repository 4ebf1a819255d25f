package record

import (
	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/vies"
)

const vatCheckVersion = 1

type vatCheck struct {
	header
	Environment  checkout.Environment `json:"environment"`
	StoreID      string               `json:"storeId"`
	OrderID      string               `json:"orderId"`
	Number       string               `json:"number"`
	Requester    string               `json:"requester,omitempty"`
	Version      uint64               `json:"version"` // the compare-and-set number, not the record's version
	State        vies.State           `json:"state"`
	Tries        int                  `json:"tries,omitempty"`
	DueAt        int64                `json:"dueAt,omitempty"`
	LastError    string               `json:"lastError,omitempty"`
	AnsweredAt   int64                `json:"answeredAt,omitempty"`
	Consultation string               `json:"consultation,omitempty"`
	Name         string               `json:"name,omitempty"`
	Address      string               `json:"address,omitempty"`
	CreatedAt    int64                `json:"createdAt"`
	UpdatedAt    int64                `json:"updatedAt"`
}

func encodeVATCheck(c *vies.Check) ([]byte, error) {
	return encode(&vatCheck{header{vatCheckVersion}, c.Environment, c.StoreID, c.OrderID, c.Number, c.Requester, c.Version, c.State, c.Tries, c.DueAt,
		c.LastError, c.AnsweredAt, c.Consultation, c.Name, c.Address, c.CreatedAt, c.UpdatedAt})
}

func decodeVATCheck(text []byte) (*vies.Check, error) {
	var r vatCheck
	if err := decode(text, &r, vatCheckVersion); err != nil {
		return nil, err
	}
	return &vies.Check{Environment: r.Environment, StoreID: r.StoreID, OrderID: r.OrderID, Number: r.Number, Requester: r.Requester,
		Version: r.Version, State: r.State, Tries: r.Tries, DueAt: r.DueAt, LastError: r.LastError, AnsweredAt: r.AnsweredAt,
		Consultation: r.Consultation, Name: r.Name, Address: r.Address, CreatedAt: r.CreatedAt, UpdatedAt: r.UpdatedAt}, nil
}
