package host

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/crepe-checkout/crepe/core/billing"
	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/country"
	"github.com/crepe-checkout/crepe/core/problem"
	"github.com/crepe-checkout/crepe/core/tax"
)

// Email is [email.Normalize] and [email.Valid] of core.
func (m *Module) Email(ctx context.Context, typed string) (address string, valid bool, err error) {
	answer, _, err := ask[emailAnswer](ctx, m, "email", map[string]string{"email": typed})
	return answer.Email, answer.Valid, err
}

// Billing is [billing.Check], but that the Detail is empty where there are problems.
func (m *Module) Billing(ctx context.Context, in billing.Input) (billing.Detail, problem.List, error) {
	answer, problems, err := ask[billingAnswer](ctx, m, "billing", billingInput(in))
	return billing.Detail(answer), problems, err
}

// QuoteInput is what is sold, to whom and when.
type QuoteInput struct {
	Terms     *checkout.Terms
	Buyer     billing.Input
	IPCountry country.Code // evidence only; may be empty
	On        tax.Date
	Rates     *tax.Table // the operator's own, nil for none; of a large table the buyer's [tax.Table.Portion]
}

// Quote is [billing.Check] and [checkout.Terms.Quote]. The problems are one of the terms or all of the billing detail's.
func (m *Module) Quote(ctx context.Context, in QuoteInput) (checkout.Quote, problem.List, error) {
	answer, problems, err := ask[quoteAnswer](ctx, m, "quote", in.wire())
	if err != nil || problems != nil {
		return checkout.Quote{}, problems, err
	}
	quote, err := answer.quote()
	return quote, nil, err
}

// ask calls an operation and reads the data of its answer.
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
