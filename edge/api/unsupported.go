package api

// unsupported are the paths of the published API that have no meaning here: members of a store, subscriptions and scans. They answer 501 to
// everybody, whatever the request.
var unsupported = []string{
	"/v1/actions/store-merchant/add-merchant",
	"/v1/actions/store-merchant/remove-merchant",
	"/v1/actions/store-merchant/update-role",
	"/v1/actions/subscription-product/create-product",
	"/v1/actions/subscription-product/update-product",
	"/v1/actions/subscription-product/publish-product",
	"/v1/actions/subscription-product/update-status",
	"/v1/actions/subscription-product-group/create-group",
	"/v1/actions/subscription-product-group/update-group",
	"/v1/actions/subscription-product-group/delete-group",
	"/v1/actions/subscription-product-group/publish-group",
	"/v1/actions/subscription-order/cancel-order",
	"/v1/actions/subscription-order/reactivate-order",
	"/v1/actions/verification/scan-prompt",
}

func (a *API) refuseUnsupported(c *call) { a.fail(c.http, layerGateway, notSupported) }
