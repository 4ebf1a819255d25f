package notify

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/goccy/go-json"

	"github.com/crepe-checkout/crepe/core/billing"
	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/money"
	"github.com/crepe-checkout/crepe/edge/catalog"
	"github.com/crepe-checkout/crepe/edge/orders"
	"github.com/crepe-checkout/crepe/edge/sessions"
)

const (
	wireTime = "2006-01-02T15:04:05.000Z"
	wireDate = "2006-01-02"
)

// envelope is the published event. Its id is that of the delivery.
type envelope struct {
	ID        string               `json:"id"`
	Timestamp string               `json:"timestamp"`
	EventType string               `json:"eventType"`
	EventID   string               `json:"eventId"`
	StoreID   string               `json:"storeId"`
	StoreName string               `json:"storeName"`
	Mode      checkout.Environment `json:"mode"`
	Data      any                  `json:"data"`
}

// orderData is the data of order.completed. A member that is not known is absent.
type orderData struct {
	OrderID            string            `json:"orderId"`
	OrderStatus        string            `json:"orderStatus"`
	BuyerEmail         string            `json:"buyerEmail"`
	BuyerIdentity      string            `json:"merchantProvidedBuyerIdentity,omitempty"`
	ExternalID         string            `json:"orderMerchantExternalId,omitempty"`
	Currency           money.Currency    `json:"currency"`
	BillingDetail      billingDetail     `json:"billingDetail"`
	OrderMetadata      map[string]string `json:"orderMetadata,omitempty"`
	ChargedAmount      string            `json:"chargedAmount,omitempty"` // as the next, only of order.completed
	ListPrice          *breakdown        `json:"listPrice,omitempty"`
	Discount           *discount         `json:"discount,omitempty"` // that the amounts are already without
	Amount             string            `json:"amount"`
	Total              string            `json:"total"`
	Subtotal           string            `json:"subtotal"`
	TaxAmount          string            `json:"taxAmount"`
	TaxRate            float64           `json:"taxRate"` // a fraction, 0.1
	TaxName            string            `json:"taxName"`
	ProductName        string            `json:"productName"`
	ProductDescription string            `json:"productDescription,omitempty"`
	ProductMetadata    map[string]string `json:"productMetadata,omitempty"`
	PaymentID          string            `json:"paymentId"`
	PaymentStatus      string            `json:"paymentStatus"`
	PaymentMethod      string            `json:"paymentMethod,omitempty"`
	PaymentLast4       string            `json:"paymentLast4,omitempty"`
	PaymentDate        string            `json:"paymentDate"`
	ReceiptURL         string            `json:"receiptUrl,omitempty"`
}

// discount is what the store's rules have taken off the price. It contains the tax if the price does.
type discount struct {
	Label  string `json:"label"`
	Amount string `json:"amount"`
}

type breakdown struct {
	Total     string  `json:"total"`
	Subtotal  string  `json:"subtotal"`
	TaxAmount string  `json:"taxAmount"`
	TaxRate   float64 `json:"taxRate"` // a percentage, 10
	TaxName   string  `json:"taxName"`
}

type billingDetail struct {
	Country      string `json:"country"`
	IsBusiness   bool   `json:"isBusiness"`
	State        string `json:"state,omitempty"`
	Postcode     string `json:"postcode,omitempty"`
	BusinessName string `json:"businessName,omitempty"`
	TaxID        string `json:"taxId,omitempty"`
}

// sale is all that an event about an order tells of.
type sale struct {
	order    *orders.Order
	session  *sessions.Session
	store    *catalog.Store
	metadata map[string]string // of the product

	receiptURL string // of the document that the fact has, "" for none
}

// sale reads what a fact is about.
func (s *Service) sale(ctx context.Context, f *orders.Fact) (*sale, error) {
	order, err := s.Orders.Order(ctx, f.Environment, f.OrderID)
	if err != nil {
		return nil, fmt.Errorf("order %s: %w", f.OrderID, err)
	}
	session, err := s.Orders.Session(ctx, order.SessionID)
	if err != nil {
		return nil, fmt.Errorf("session of %s: %w", f.OrderID, err)
	}
	store, err := s.Catalog.Store(ctx, order.StoreID)
	if err != nil {
		return nil, fmt.Errorf("store %s: %w", order.StoreID, err)
	}
	metadata, err := s.productMetadata(ctx, order)
	if err != nil {
		return nil, err
	}
	return &sale{order: order, session: session, store: store, metadata: metadata}, nil
}

// productMetadata returns the metadata of the product's version that was sold, nil where it is no longer known.
func (s *Service) productMetadata(ctx context.Context, o *orders.Order) (map[string]string, error) {
	sold := o.Sold().Product
	version, err := s.Catalog.Version(ctx, sold.ID, sold.VersionID)
	if isNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("product %s: %w", sold.ID, err)
	}
	return texts(version.Metadata), nil
}

// texts converts metadata to the strings that an event has: what is not a string is its JSON.
func texts(metadata map[string]catalog.JSON) map[string]string {
	converted := make(map[string]string, len(metadata))
	for name, value := range metadata {
		text := string(value)
		if json.Unmarshal([]byte(value), &text) != nil {
			text = string(value)
		}
		converted[name] = text
	}
	return converted
}

// data returns the data of the event that a fact becomes. An error is for an operator: the fact cannot become an event.
func (s *sale) data(f *orders.Fact) (any, error) {
	switch f.Kind {
	case orders.OrderCompleted:
		return s.completed(f.EventID)
	case orders.RefundHasSucceeded, orders.RefundHasFailed:
		return s.refunded(f)
	}
	return nil, fmt.Errorf("a fact of the unknown kind %q", f.Kind)
}

// completed is the data of order.completed.
func (s *sale) completed(paymentID string) (*orderData, error) {
	payment := s.order.Payment(paymentID)
	if payment == nil || s.order.Attempt(payment.Attempt) == nil {
		return nil, fmt.Errorf("%s has no payment %s", s.order.ID, paymentID)
	}
	sold := &s.order.Attempt(payment.Attempt).Placed
	assessed := &sold.Quote.Assessment
	amount := func(minor int64) string { return money.Amount{Minor: minor, Currency: sold.Quote.Currency}.String() }
	status, _ := s.order.Published()
	var off *discount
	if d := sold.Quote.Discount; d.Minor != 0 {
		off = &discount{d.Label, amount(d.Minor)}
	}
	return &orderData{
		OrderID: s.order.ID, OrderStatus: status, BuyerEmail: sold.BuyerEmail, BuyerIdentity: sold.BuyerIdentity,
		ExternalID: s.session.ExternalID, Currency: sold.Quote.Currency, BillingDetail: detailOf(&sold.Billing),
		OrderMetadata: s.session.Metadata, ChargedAmount: amount(assessed.Total), Amount: amount(assessed.Total),
		ListPrice: &breakdown{Total: amount(assessed.Total), Subtotal: amount(assessed.Subtotal), TaxAmount: amount(assessed.Tax),
			TaxRate: float64(assessed.Rate()) / 1e3, TaxName: assessed.Name()},
		Discount: off,
		Total:    amount(assessed.Total), Subtotal: amount(assessed.Subtotal), TaxAmount: amount(assessed.Tax),
		TaxRate: float64(assessed.Rate()) / 1e5, TaxName: assessed.Name(),
		ProductName: sold.Product.Name, ProductDescription: sold.Product.Description, ProductMetadata: s.metadata,
		PaymentID: payment.ID, PaymentStatus: string(payment.Status), PaymentMethod: payment.Method, PaymentLast4: payment.Last4,
		PaymentDate: time.UnixMilli(payment.At).UTC().Format(wireDate), ReceiptURL: s.receiptURL,
	}, nil
}

func detailOf(d *billing.Detail) billingDetail {
	return billingDetail{string(d.Country), d.IsBusiness, d.State, d.Postcode, d.BusinessName, d.TaxID}
}

// render makes the body of a delivery.
func render(d *Delivery, storeName string, at int64, data any) ([]byte, error) {
	return json.Marshal(&envelope{d.ID, time.UnixMilli(at).UTC().Format(wireTime), d.EventType, d.EventID, d.StoreID, storeName,
		d.Environment, data})
}

// isNotFound reports whether a record of the catalogue does not exist.
func isNotFound(err error) bool { return errors.Is(err, catalog.ErrNotFound) }
