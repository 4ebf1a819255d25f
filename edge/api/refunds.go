package api

import (
	"github.com/goccy/go-json"

	"github.com/crepe-checkout/crepe/core/money"
	"github.com/crepe-checkout/crepe/edge/catalog"
	"github.com/crepe-checkout/crepe/edge/orders"
)

type ticketRequest struct {
	TicketID        string                  `json:"ticketId"` // of a ticket that is submitted again
	PaymentID       string                  `json:"paymentId"`
	Reason          string                  `json:"reason"`
	RequestedAmount amountRequest           `json:"requestedAmount"`
	Metadata        map[string]catalog.JSON `json:"metadata"`
	ExternalID      string                  `json:"refundTicketMerchantExternalId"`
}

func (*ticketRequest) nested() {}

type amountRequest struct {
	Amount   string `json:"amount"`
	Currency string `json:"currency"`
}

func (r *ticketRequest) domain() (orders.TicketRequest, error) {
	request := orders.TicketRequest{PaymentID: r.PaymentID, Reason: r.Reason, Amount: r.RequestedAmount.Amount,
		Currency: r.RequestedAmount.Currency, ExternalID: r.ExternalID}
	if len(r.Metadata) == 0 {
		return request, nil
	}
	metadata, err := json.Marshal(r.Metadata)
	request.Metadata = string(metadata)
	return request, err
}

type ticketResponse struct {
	Ticket ticketView `json:"ticket"`
}

type ticketView struct {
	ID               string        `json:"id"`
	Type             string        `json:"type"`
	Status           string        `json:"status"`
	SubjectID        string        `json:"subjectId"`
	SubmitterID      string        `json:"submitterId"`
	SubmitterType    string        `json:"submitterType"`
	CurrentVersionID string        `json:"currentVersionId"`
	ReviewerID       *string       `json:"reviewerId"`
	ReviewedAt       *string       `json:"reviewedAt"`
	ReviewNote       *string       `json:"reviewNote"`
	RejectReason     *string       `json:"rejectReason"`
	ExecutedAt       *string       `json:"executedAt"`
	Metadata         catalog.JSON  `json:"metadata"`
	ExternalID       *string       `json:"refundTicketMerchantExternalId"`
	VersionNumber    int           `json:"versionNumber"`
	VersionData      ticketVersion `json:"versionData"`
	CreatedAt        string        `json:"createdAt"`
	UpdatedAt        string        `json:"updatedAt"`
}

type ticketVersion struct {
	Reason          string        `json:"reason"`
	RequestedAmount amountRequest `json:"requestedAmount"`
}

func (a *API) createTicket(c *call, r *ticketRequest) (*ticketResponse, error) {
	request, err := r.domain()
	if err != nil {
		return nil, err
	}
	request.Name = c.name
	o, t, err := a.config.Orders.CreateTicket(c.ctx, scope(c.caller), request, a.client(c))
	if err != nil {
		return nil, err
	}
	return &ticketResponse{viewTicket(o, t)}, nil
}

func (a *API) resubmitTicket(c *call, r *ticketRequest) (*ticketResponse, error) {
	request, err := r.domain()
	if err != nil {
		return nil, err
	}
	o, t, err := a.config.Orders.ResubmitTicket(c.ctx, scope(c.caller), r.TicketID, request, a.client(c))
	if err != nil {
		return nil, err
	}
	return &ticketResponse{viewTicket(o, t)}, nil
}

func viewTicket(o *orders.Order, t *orders.Ticket) ticketView {
	submitter, version := "customer", t.Current()
	if t.Submitter.Merchant {
		submitter = "merchant"
	}
	amount := money.Amount{Minor: version.Amount, Currency: o.Charged(o.Payment(t.PaymentID)).Currency}
	metadata := catalog.JSON(t.Metadata)
	if metadata == "" {
		metadata = "{}"
	}
	return ticketView{ID: t.ID, Type: "refund", Status: string(t.Status), SubjectID: t.PaymentID, SubmitterID: t.Submitter.ID, SubmitterType: submitter,
		CurrentVersionID: version.ID, ReviewerID: orNull(t.ReviewerID), ReviewedAt: timeOrNull(t.ReviewedAt), ReviewNote: orNull(t.ReviewNote),
		RejectReason: orNull(t.RejectReason), ExecutedAt: timeOrNull(t.ExecutedAt), Metadata: metadata, ExternalID: orNull(t.ExternalID),
		VersionNumber: len(t.Versions), VersionData: ticketVersion{version.Reason, amountRequest{amount.String(), string(amount.Currency)}},
		CreatedAt: timestamp(t.CreatedAt), UpdatedAt: timestamp(t.UpdatedAt)}
}

func timeOrNull(unixMilli int64) *string {
	if unixMilli == 0 {
		return nil
	}
	text := timestamp(unixMilli)
	return &text
}
