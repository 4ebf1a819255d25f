package oracle

import (
	"strings"
	"testing"
	"time"

	"github.com/crepe-checkout/crepe/core/money"
	"github.com/crepe-checkout/crepe/edge/psp"
)

// TestRefundCalls: what the adapter sends about refunds fits the description, and what it answers is read.
func TestRefundCalls(t *testing.T) {
	m := newMock(t)
	for _, duplicate := range []bool{false, true} {
		request, err := m.gateway.RenderRefund(psp.RefundParams{Deployment: "dep", OrderID: "ORD_1", N: 1, PaymentID: "pi_1",
			Amount: money.Amount{Minor: 1050, Currency: "EUR"}, Duplicate: duplicate})
		if err != nil {
			t.Fatal(err)
		}
		made, callErr := m.gateway.CreateRefund(soon(), request, "key")
		if callErr != nil || !strings.HasPrefix(made.Ref, "re_") || made.Status == psp.RefundUnknown {
			t.Errorf("made %+v, %v: %s", made, callErr, m.answer)
		}
		wrong := psp.RenderedRequest{Path: request.Path, Body: append(request.Body, "&whim=1"...)}
		if _, callErr := m.gateway.CreateRefund(soon(), wrong, "key"); callErr == nil || callErr.Status != 400 {
			t.Errorf("an unknown parameter: %v", callErr)
		}
	}
	if read, callErr := m.gateway.RetrieveRefund(soon(), "re_1"); callErr != nil || !strings.HasPrefix(read.Ref, "re_") {
		t.Errorf("read %+v, %v: %s", read, callErr, m.answer)
	}
	page, callErr := m.gateway.ListRefunds(soon(), "pi_1", psp.Span{Since: time.Unix(1_795_000_000, 0)}, "re_0")
	if callErr != nil || len(page.Items) != 1 || page.Items[0].Ref == "" {
		t.Errorf("listed %+v, %v: %s", page, callErr, m.answer)
	}
}
