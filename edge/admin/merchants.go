package admin

import (
	"context"
	"encoding/base64"
	"encoding/pem"
	"time"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/catalog"
)

// Merchant describes a merchant.
type Merchant struct {
	ID        string                       `json:"id"`
	Name      string                       `json:"name"`
	CreatedAt time.Time                    `json:"createdAt"`
	LiveKeys  map[checkout.Environment]int `json:"liveKeys"`
}

// CreateMerchantRequest names a new merchant.
type CreateMerchantRequest struct {
	Name string `json:"name"`
}

// NewMerchant is a new merchant, and what its programs need beside their private keys.
type NewMerchant struct {
	Merchant Merchant `json:"merchant"`
	BaseURL  string   `json:"baseUrl,omitempty"` // "" where no server runs
	// WebhookPublicKeys verify what the server sends to merchants: SPKI in base64, without the lines of PEM.
	WebhookPublicKeys map[checkout.Environment]string `json:"webhookPublicKeys"`
}

func (a *Admin) createMerchant(ctx context.Context, in CreateMerchantRequest) (NewMerchant, error) {
	keys, err := a.webhookKeys(ctx, PublicKeysRequest{})
	if err != nil {
		return NewMerchant{}, err
	}
	m, err := a.config.Accounts.CreateMerchant(ctx, in.Name)
	if err != nil {
		return NewMerchant{}, err
	}
	a.config.Log.Info("a merchant was created", "merchant", m.ID)
	made := NewMerchant{a.merchant(m), a.config.PublicURL, make(map[checkout.Environment]string)}
	for _, k := range keys.Items {
		block, _ := pem.Decode([]byte(k.PublicKey))
		made.WebhookPublicKeys[k.Environment] = base64.StdEncoding.EncodeToString(block.Bytes)
	}
	return made, nil
}

// ListMerchantsRequest asks for a page of the merchants.
type ListMerchantsRequest struct {
	After string `json:"after,omitempty"` // "" for the first page, then Next of the page before
}

func (a *Admin) listMerchants(ctx context.Context, in ListMerchantsRequest) (List[Merchant], error) {
	page, err := a.config.Accounts.Records.Merchants(ctx, in.After, pageSize)
	listed := List[Merchant]{Items: make([]Merchant, len(page))}
	for i, m := range page {
		listed.Items[i] = a.merchant(m)
	}
	if len(page) == pageSize {
		listed.Next = page[pageSize-1].ID
	}
	return listed, err
}

func (a *Admin) merchant(m *catalog.Merchant) Merchant {
	live, now := map[checkout.Environment]int{checkout.Test: 0, checkout.Prod: 0}, a.config.Accounts.Now()
	for i := range m.Keys {
		if k := &m.Keys[i]; k.Live(now) {
			live[k.Environment]++
		}
	}
	return Merchant{m.ID, m.Name, time.UnixMilli(m.CreatedAt).UTC(), live}
}
