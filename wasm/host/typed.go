package host

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/crepe-checkout/crepe/core/billing"
	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/civil"
	"github.com/crepe-checkout/crepe/core/country"
	"github.com/crepe-checkout/crepe/core/problem"
	"github.com/crepe-checkout/crepe/core/tax/table"
	"github.com/crepe-checkout/crepe/core/vatid"
	"github.com/crepe-checkout/crepe/wasm/ops"
)

// Email is the result of [Module.Email].
type Email struct {
	Address    string // [email.Parse]
	Valid      bool   // [email.Valid]
	Suggestion string // [email.Suggest]
}

// Email calls [email.Parse] and [email.Suggest].
func (m *Module) Email(ctx context.Context, typed string) (Email, error) {
	answer, _, err := ask[emailAnswer](ctx, m, "email", map[string]string{"email": typed})
	return Email(answer), err
}

// Billing calls [billing.Check], except that the Detail is empty if there are problems.
func (m *Module) Billing(ctx context.Context, in billing.Input) (billing.Detail, problem.List, error) {
	return ask[billing.Detail](ctx, m, "billing", in)
}

// Fields calls [billing.Fields], and [country.Code.StateOf] for the postcode, which may be empty.
func (m *Module) Fields(ctx context.Context, c country.Code, postcode string) ([]billing.Field, country.Subdivision, error) {
	answer, _, err := ask[fieldsAnswer](ctx, m, "fields", map[string]string{"country": string(c), "postcode": postcode})
	return answer.Fields, answer.State, err
}

// TaxID calls [vatid.Parse].
func (m *Module) TaxID(ctx context.Context, cc, typed string) (vatid.Number, vatid.Fault, error) {
	answer, _, err := ask[taxIDAnswer](ctx, m, "taxid", map[string]string{"country": cc, "taxId": typed})
	fault, _ := named(vatid.CheckDigit, answer.Fault)
	return answer.TaxID, fault, err
}

// Version returns the release of the module and the version of its tax data, including [Config].Rates.
func (m *Module) Version(ctx context.Context) (release, dataVersion string, err error) {
	answer, _, err := ask[versionAnswer](ctx, m, "version", struct{}{})
	return answer.Module, answer.DataVersion, err
}

// QuoteInput is the input of [Module.Quote].
type QuoteInput struct {
	Terms     *checkout.Terms
	Buyer     billing.Input
	IPCountry country.Code // evidence only; may be empty
	On        civil.Date
	Rates     *table.Table // the operator's own, nil for none; for a large table, its [table.Table.Subset] for the buyer
	Discount  checkout.Discount
}

// Quote calls [billing.Check] and [checkout.Terms.QuoteLess]. The problems are one of the terms or all of the billing detail's.
func (m *Module) Quote(ctx context.Context, in QuoteInput) (checkout.Quote, problem.List, error) {
	answer, problems, err := ask[ops.Quote](ctx, m, "quote", in.wire())
	if err != nil || problems != nil {
		return checkout.Quote{}, problems, err
	}
	quote, err := quoteOf(&answer)
	return quote, nil, err
}

// Place calls [checkout.Place].
func (m *Module) Place(ctx context.Context, s *checkout.Session, r *checkout.Request, now int64) (*checkout.Order, problem.List, error) {
	answer, problems, err := ask[placeAnswer](ctx, m, "place", placeInputOf(s, r, now))
	if err != nil || problems != nil {
		return nil, problems, err
	}
	quote, err := quoteOf(&answer.Quote)
	if err != nil {
		return nil, nil, err
	}
	return &checkout.Order{
		SessionID: s.ID, Environment: s.Environment, StoreID: s.StoreID, Product: s.Product, Terms: s.Terms,
		Quote: quote, Billing: answer.BillingDetail, BuyerEmail: answer.BuyerEmail,
		BuyerIdentity: r.Caller.Identity, BuyerIP: r.BuyerIP, SuccessURL: answer.SuccessURL, PlacedAt: now,
	}, nil, nil
}

// ask calls an operation and decodes the data of its answer.
func ask[Data any](ctx context.Context, m *Module, operation string, input any) (data Data, _ problem.List, err error) {
	text, err := json.Marshal(input)
	if err != nil {
		return data, nil, fmt.Errorf("host: %s: %w", operation, err)
	}
	if text, err = m.Call(ctx, operation, text); err != nil {
		return data, nil, err
	}
	answer := struct {
		Data   *Data
		Errors []problemAnswer
	}{Data: &data}
	if err := json.Unmarshal(text, &answer); err != nil {
		return data, nil, fmt.Errorf("host: reading the answer of %s: %w", operation, err)
	}
	return data, problemsOf(answer.Errors), nil
}
