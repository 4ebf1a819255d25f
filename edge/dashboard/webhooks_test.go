package dashboard

import (
	"net/url"
	"strings"
	"testing"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/notify"
)

const (
	endpointID = "11111111-2222-4333-8444-555555555555"
	deliveryID = "0193aaaa-2222-7333-8444-555555555555"
)

// delivered stores an endpoint with a failed delivery.
func (w *world) delivered(t *testing.T, env checkout.Environment, storeID string) {
	t.Helper()
	endpoint := notify.Endpoint{ID: endpointID, Environment: env, StoreID: storeID, URL: "https://shop.example/hook", Events: []string{"order.completed"},
		Secret: "hunter2", CreatedAt: 1}
	d := &notify.Delivery{ID: deliveryID, Environment: env, StoreID: storeID, EndpointID: endpointID, EventType: "order.completed", EventID: "PAY_1",
		OrderID: orderID(1), Body: []byte(`{"a":"<i>"}`), Signature: "t=1,v1=signature", State: notify.Failed, Sent: 4, CreatedAt: w.now.UnixMilli(),
		UpdatedAt: w.now.UnixMilli(), Tries: []notify.Try{{At: 1, Took: 12, Status: 500, Answer: "<b>no\xff"}, {At: 2, Error: "connection refused"}}}
	err := w.db.CommitNotify(t.Context(), notify.Change{Deliveries: []*notify.Delivery{d},
		Endpoints: &notify.Endpoints{Environment: env, StoreID: storeID, Items: []notify.Endpoint{endpoint}}})
	if err != nil {
		t.Fatal(err)
	}
}

// TestWebhooks: deliveries are shown in their store and environment, without secrets, and can be sent again there.
func TestWebhooks(t *testing.T) {
	w := open(t, "")
	w.get("/dashboard/test/webhooks").shows(t, 200, "There is no store yet")
	one, two := w.store(t, 1), w.store(t, 2)
	w.get("/dashboard/test/webhooks?store="+one.ID).shows(t, 200, "No endpoint", "Nothing was sent yet")
	w.delivered(t, checkout.Test, one.ID)
	list := w.get("/dashboard/test/webhooks?store=" + one.ID)
	list.shows(t, 200, "https://shop.example/hook", "order.completed", "Failed", "connection refused", deliveryID)
	detail := w.get("/dashboard/test/webhooks/" + deliveryID)
	detail.shows(t, 200, "500 Internal Server Error", "&lt;b&gt;no", "connection refused", "&#34;a&#34;: &#34;&lt;i&gt;&#34;", "12 ms", orderID(1), "Send it again")
	for name, body := range map[string]string{"list": list.body, "delivery": detail.body} {
		for _, secret := range []string{"hunter2", "v1=signature"} {
			if strings.Contains(body, secret) {
				t.Errorf("the %s shows %s", name, secret)
			}
		}
	}
	w.get("/dashboard/prod/webhooks/"+deliveryID).shows(t, 404)
	w.get("/dashboard/test/webhooks/"+endpointID).shows(t, 404)
	for _, path := range []string{"/dashboard/prod/webhooks?store=" + one.ID, "/dashboard/test/webhooks?store=" + two.ID} {
		w.get(path).shows(t, 200, "Nothing was sent yet")
	}

	form := func(do, id string) url.Values {
		return url.Values{"token": {w.logins.open.formToken}, "do": {do}, "id": {id}}
	}
	for _, wrong := range []url.Values{form("resend", endpointID), form("resend", ""), form("test", deliveryID), form("delete", deliveryID)} {
		w.do("POST", "/dashboard/test/webhooks", wrong).shows(t, 404)
	}
	w.do("POST", "/dashboard/prod/webhooks", form("resend", deliveryID)).shows(t, 404)
	w.do("POST", "/dashboard/prod/webhooks", form("test", endpointID)).shows(t, 404)
	if a := w.do("POST", "/dashboard/test/webhooks", form("resend", deliveryID)); a.to() != "/dashboard/test/webhooks/"+deliveryID+"?done=resend" {
		t.Errorf("resend: %d to %s", a.status, a.to())
	}
	w.get("/dashboard/test/webhooks/"+deliveryID+"?done=resend").shows(t, 200, "sent again", "Pending", "It is sent next")
	if a := w.do("POST", "/dashboard/test/webhooks", form("test", endpointID)); a.status != 303 {
		t.Errorf("a test event: %d %s", a.status, a.body)
	}
	w.get("/dashboard/test/webhooks?store="+one.ID).shows(t, 200, notify.TestEvent)
}
