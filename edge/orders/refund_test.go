package orders_test

import (
	"errors"
	"fmt"
	"time"

	"github.com/crepe-checkout/crepe/core/money"
	"github.com/crepe-checkout/crepe/edge/psp"
)

// refunds is the part of a test's provider that returns money. The same key gives the same refund.
type refunds struct {
	refundFaults []*psp.CallError // of the next creates; nil lets one through
	refundEffect bool             // a create that fails has its effect all the same
	refundAs     psp.RefundStatus // of a new refund; zero is succeeded
	refundKeys   []string         // of the creates, in their order
	refundList   []psp.Refund
	refundBodies map[string]string // by key
	refundOf     map[string]int    // index in refundList, by key
}

func (p *provider) RenderRefund(in psp.RefundParams) (psp.RenderedRequest, error) {
	if in.Amount.Minor%2 == 1 && in.Amount.Currency == "KWD" {
		return psp.RenderedRequest{}, errors.New("cannot be rendered")
	}
	return psp.RenderedRequest{Path: "/refund", Body: fmt.Appendf(nil, "%s %s %d %d %s", in.PaymentID, in.OrderID, in.N, in.Amount.Minor, in.Amount.Currency)}, nil
}

func (p *provider) CreateRefund(_ time.Time, w psp.RenderedRequest, key string) (psp.Refund, *psp.CallError) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refundKeys = append(p.refundKeys, key)
	if i, ok := p.refundOf[key]; ok && len(p.refundFaults) == 0 {
		if p.refundBodies[key] != string(w.Body) {
			return psp.Refund{}, &psp.CallError{Class: psp.KeyTaken, Status: 400}
		}
		return p.refundList[i], nil
	}
	var callErr *psp.CallError
	if len(p.refundFaults) > 0 {
		callErr, p.refundFaults = p.refundFaults[0], p.refundFaults[1:]
	}
	if callErr != nil && !p.refundEffect {
		return psp.Refund{}, callErr
	}
	if _, ok := p.refundOf[key]; !ok {
		p.makeRefund(w, key)
	}
	return p.refundList[p.refundOf[key]], callErr
}

func (p *provider) makeRefund(w psp.RenderedRequest, key string) {
	r := psp.Refund{Ref: fmt.Sprintf("re_%d", len(p.refundList)+1), Status: psp.RefundSucceeded, Created: time.Now()}
	if p.refundAs != psp.RefundUnknown {
		r.Status = p.refundAs
	}
	var currency string
	fmt.Sscanf(string(w.Body), "%s %s %d %d %s", &r.PaymentID, &r.OrderID, &r.N, &r.Amount.Minor, &currency)
	r.Amount.Currency = money.Currency(currency)
	if p.refundOf == nil {
		p.refundOf, p.refundBodies = make(map[string]int), make(map[string]string)
	}
	p.refundOf[key], p.refundBodies[key] = len(p.refundList), string(w.Body)
	p.refundList = append(p.refundList, r)
}

func (p *provider) RetrieveRefund(_ time.Time, ref string) (psp.Refund, *psp.CallError) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, r := range p.refundList {
		if r.Ref == ref {
			return r, nil
		}
	}
	return psp.Refund{Ref: ref, Status: psp.RefundMissing}, nil
}

func (p *provider) ListRefunds(_ time.Time, paymentID string, _ psp.Span, _ string) (page psp.Page[psp.Refund], _ *psp.CallError) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, r := range p.refundList {
		if paymentID == "" || r.PaymentID == paymentID {
			page.Items = append(page.Items, r)
		}
	}
	return page, p.list
}
