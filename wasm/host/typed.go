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

// Quote is [billing.Check] and [checkout.Terms.Quote]. The errors are all of the billing detail's or one of the terms.
func (m *Module) Quote(
	ctx context.Context, t *checkout.Terms, buyer billing.Input, ipCountry country.Code, on tax.Date,
) (checkout.Quote, problem.List, error) {
	answer, problems, err := ask[quoteAnswer](ctx, m, "quote", quoteInputOf(t, buyer, ipCountry, on))
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
