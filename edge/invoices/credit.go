package invoices

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/orders"
)

// creditNote makes the credit note of a refund, without its number: the receipt with the refund's share of every amount. It returns
// nil for the refund of a payment without a receipt, such as a second payment.
func (s *Service) creditNote(ctx context.Context, f *orders.Fact, o *orders.Order) (*Document, error) {
	refund := o.Refund(f.EventID)
	if refund == nil {
		return nil, fmt.Errorf("%s has no refund %s", o.ID, f.EventID)
	}
	receipt, err := s.config.Store.DocumentOf(ctx, f.Environment, o.ID, refund.PaymentID)
	if errors.Is(err, ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	split := &refund.Split
	if len(split.Parts) != len(receipt.Components) || split.Total() != refund.Amount {
		return nil, fmt.Errorf("the division of refund %s is not that of its receipt", refund.ID)
	}
	d := receipt.corrected(f)
	d.Subtotal, d.Tax, d.Total = split.Net, split.Tax, split.Total()
	for i, part := range split.Parts {
		d.Components[i].Taxable, d.Components[i].Amount = part.Taxable, part.Amount
	}
	d.Exchange = receipt.Exchange.convert(d.Components, d.Currency)
	return d, nil
}

// reversal makes the receipt that takes back the credit note of a refund that has failed after it had succeeded. It returns nil
// for a refund without a credit note.
func (s *Service) reversal(ctx context.Context, f *orders.Fact, o *orders.Order) (*Document, error) {
	note, err := s.config.Store.DocumentOf(ctx, f.Environment, o.ID, f.EventID)
	if errors.Is(err, ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	d := note.corrected(f)
	d.EventID += reversed
	return d, nil
}

// Corrections returns the documents that correct d, oldest refund first: the credit notes of a receipt, or the receipt that takes back
// a credit note.
func (s *Service) Corrections(ctx context.Context, d *Document) ([]Document, error) {
	order, err := s.config.Orders.Order(ctx, d.Series.Environment, d.OrderID)
	if err != nil {
		return nil, fmt.Errorf("order %s: %w", d.OrderID, err)
	}
	events := []string{d.EventID + reversed}
	for i := range order.Refunds {
		if order.Refunds[i].PaymentID == d.EventID {
			events = append(events, order.Refunds[i].ID)
		}
	}
	var list []Document
	for _, event := range events {
		switch correction, err := s.config.Store.DocumentOf(ctx, d.Series.Environment, d.OrderID, event); {
		case errors.Is(err, ErrNotFound): // no document, or none yet
		case err != nil:
			return nil, err
		default:
			list = append(list, *correction)
		}
	}
	return list, nil
}

// reversed follows the id of a refund in the EventID of the receipt that takes back its credit note.
const reversed = "/failed"

// corrected is a copy of d that refers to d and is about another event, without a number.
func (d *Document) corrected(f *orders.Fact) *Document {
	next := *d
	next.EventID, next.SuppliedAt = f.EventID, f.At
	next.Preceding = &Reference{d.Code(), d.Token, d.IssuedAt}
	next.Components = slices.Clone(d.Components)
	next.Consents = nil // they are about the sale, as is the discount
	next.ListPrice, next.Discount = 0, checkout.Discount{}
	return &next
}
