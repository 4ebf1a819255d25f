package graph

import graphql "github.com/graph-gophers/graphql-go"

// There are no subscriptions here, as in a store of the published platform that sells none: lists are empty, records null. Clients
// ask for one-time orders and subscriptions in one query, which an error would spoil. The types below have the fields that such
// queries name, and no values.

type listArgs struct {
	StoreID *string
	paging
}

func (q *query) SubscriptionProducts(productsArgs) []*subscriptionProduct { return nil }

func (q *query) SubscriptionProductsCount(struct {
	StoreID *string
	Filter  *productFilter
}) int32 {
	return 0
}

func (q *query) SubscriptionProduct(idArgs) *subscriptionProduct { return nil }

func (q *query) SubscriptionProductVersions(versionsArgs) []*subscriptionVersion { return nil }

func (q *query) SubscriptionProductGroups(listArgs) []*subscriptionGroup { return nil }

func (q *query) SubscriptionProductGroupsCount(struct{ StoreID *string }) int32 { return 0 }

func (q *query) SubscriptionOrders(ordersArgs) []*subscriptionOrder { return nil }

func (q *query) SubscriptionOrdersCount(struct {
	StoreID *string
	Filter  *orderFilter
}) int32 {
	return 0
}

func (q *query) SubscriptionOrder(idArgs) *subscriptionOrder { return nil }

type subscriptionOrder struct {
	ID, StoreID                                    graphql.ID
	Store                                          *store
	BuyerEmail, Currency, Status                   string
	TestMode                                       bool
	BillingPeriod                                  string
	OrderMerchantExternalID                        *string
	PriceSnapshot                                  subscriptionSnapshot
	BillingDetail                                  billingDetail
	Product, SubscriptionProduct                   *subscriptionProduct
	ProductVersion                                 *subscriptionVersion
	Payments                                       []*payment
	CurrentPeriodStart, CurrentPeriodEnd, CancelAt *string
	CanceledAt                                     *string
	CreatedAt, UpdatedAt                           string
}

type subscriptionSnapshot struct {
	Currency                   string
	RegularPhase, SpecialPhase *amountDetails
	SpecialPhaseDays           *int32
}

type subscriptionProduct struct {
	ID                          graphql.ID
	Name, BillingPeriod, Status string
	Prices                      []currencyPrice
	CreatedAt                   string
}

type subscriptionVersion struct {
	ID                           graphql.ID
	VersionNumber                int32
	Name                         string
	Description                  *string
	BillingPeriod                string
	Prices                       []currencyPrice
	Metadata                     string
	IsTestVersion, IsProdVersion bool
	CreatedAt                    string
}

type subscriptionGroup struct {
	ID          graphql.ID
	Name        string
	Description *string
	Rules       groupRules
	Environment string
	Products    []*subscriptionProduct
}

type groupRules struct{ SharedTrial bool }

// EmailDeliveries is empty, because clients count e-mails together with webhooks in one query. Receipts are sent by the operator, whose
// mails are not listed by store.
func (q *query) EmailDeliveries(deliveriesArgs) []*emailDelivery { return nil }

func (q *query) EmailDeliveriesCount(struct {
	StoreID *string
	Filter  *deliveryFilter
}) int32 {
	return 0
}

type emailDelivery struct {
	ID, StoreID                                           graphql.ID
	EventType, EventID, RecipientType, ToAddress, Subject string
	TestMode                                              bool
	Status                                                string
	AttemptCount                                          int32
	LastAttemptedAt, ErrorMessage                         *string
	CreatedAt                                             string
}
