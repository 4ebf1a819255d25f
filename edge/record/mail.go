package record

import (
	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/invoices"
)

const mailVersion = 2

type mail struct {
	header
	Token       string               `json:"token"`
	Environment checkout.Environment `json:"environment"`
	StoreID     string               `json:"storeId"`
	To          string               `json:"to"`
	Version     uint64               `json:"version"` // the compare-and-set number, not the record's version
	State       invoices.MailState   `json:"state"`
	Tries       int                  `json:"tries,omitempty"`
	DueAt       int64                `json:"dueAt,omitempty"`
	LastError   string               `json:"lastError,omitempty"`
	CreatedAt   int64                `json:"createdAt"`
	UpdatedAt   int64                `json:"updatedAt"`
	Keep        int64                `json:"keep,omitempty"` // since version 2
}

func encodeMail(m *invoices.Mail) ([]byte, error) {
	return encode(&mail{header{mailVersion}, m.Token, m.Environment, m.StoreID, m.To, m.Version, m.State, m.Tries, m.DueAt, m.LastError,
		m.CreatedAt, m.UpdatedAt, m.Keep})
}

func decodeMail(text []byte) (*invoices.Mail, error) {
	var r mail
	if err := decode(text, &r, mailVersion); err != nil {
		return nil, err
	}
	return &invoices.Mail{Token: r.Token, Environment: r.Environment, StoreID: r.StoreID, To: r.To, Version: r.Version, State: r.State,
		Tries: r.Tries, DueAt: r.DueAt, LastError: r.LastError, CreatedAt: r.CreatedAt, UpdatedAt: r.UpdatedAt, Keep: r.Keep}, nil
}
