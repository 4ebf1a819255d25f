package server

import "testing"

// recordCatalog records the life of a store and of a product.
func (r *recorder) recordCatalog(t *testing.T) {
	const store, product = "/v1/actions/store/", "/v1/actions/onetime-product/"
	storeID := member(t, r.sign(t, "create-store", store+"create-store", `{"name":"Field Notes"}`), "store", "id")
	r.sign(t, "update-store", store+"update-store", `{"id":"`+storeID+`","website":"https://fieldnotes.example",
"checkoutSettings":{"light":{"checkoutColorPrimary":"#0f5c4a"}},
"notificationSettings":{"notifyNewOrders":false,"emailOrderConfirmation":false},
"seller":{"country":"DE","registrations":[{"jurisdiction":"EU","from":"2026-01-01"}],"legalName":"Feldnotizen GmbH",
"address":{"street":"Torstraße 1","postcode":"10119","city":"Berlin"},"vatId":"DE 136 695 976"}}`)
	productID := member(t, r.sign(t, "create-product", product+"create-product", `{"storeId":"`+storeID+`","name":"Field guide",
"description":"A guide to the trees of Europe.","prices":{"EUR":{"amount":"19.00","taxCategory":"ebook"},"JPY":{"amount":"3200","taxCategory":"ebook"}},
"media":[{"type":"image","url":"https://fieldnotes.example/cover.jpg","alt":"The cover"}],"metadata":{"sku":"guide-1"}}`), "product", "id")
	r.sign(t, "update-product", product+"update-product", `{"id":"`+productID+`","prices":{"EUR":{"amount":"21.00","taxCategory":"ebook","taxIncluded":true}}}`)
	r.omitLast()
	r.sign(t, "publish-product", product+"publish-product", `{"id":"`+productID+`"}`)
	r.omitLast()
	r.sign(t, "update-status", product+"update-status", `{"id":"`+productID+`","status":"inactive"}`)
	r.omitLast()
	r.sign(t, "create-product-refused", product+"create-product", `{"storeId":"`+storeID+`","name":"Field guide","prices":{"EUR":{"amount":"0","taxCategory":"ebook"}}}`)
	r.sign(t, "delete-store", store+"delete-store", `{"id":"`+storeID+`"}`)
	r.omitLast()
	r.sign(t, "not-supported", "/v1/actions/subscription-order/cancel-order", `{"orderId":"ORD_2aUyqjCzEIiEcYMKj7TZtw"}`)
}
