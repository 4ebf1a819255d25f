package orders

import (
	"strconv"
	"time"

	"github.com/crepe-checkout/crepe/core/money"
	"github.com/crepe-checkout/crepe/core/problem"
)

var (
	errPaymentIDRequired = problem.New(problem.Invalid, "payment-id-required", "/paymentId", "Missing required field: paymentId")
	errTicketIDRequired  = problem.New(problem.Invalid, "ticket-id-required", "/ticketId", "Missing required field: ticketId")
	errReasonRequired    = problem.New(problem.Invalid, "reason-required", "/reason", "Missing required field: reason")
	errReasonTooLong     = problem.New(problem.Invalid, "reason-too-long", "/reason", "reason must be at most 1000 characters")
	errAmountRequired    = problem.New(problem.Invalid, "refund-amount-required", "/requestedAmount/amount", "Missing required field: requestedAmount.amount")
	errCurrencyRequired  = problem.New(problem.Invalid, "refund-currency-required", "/requestedAmount/currency", "Missing required field: requestedAmount.currency")
	errCurrencyInvalid   = problem.New(problem.Invalid, "refund-currency-invalid", "/requestedAmount/currency",
		`Invalid requestedAmount.currency: expected 3-letter ISO 4217 currency code (e.g., "USD")`)
	errAmountInvalid = problem.New(problem.Invalid, "refund-amount-invalid", "/requestedAmount/amount",
		`Invalid requestedAmount.amount: expected positive numeric string in display format (e.g., "9.99", "1000")`)
	errAmountNotRefundable = problem.New(problem.Invalid, "refund-amount-unpayable", "/requestedAmount/amount",
		"Invalid requestedAmount.amount: the payment provider cannot refund it")
	errTicketExternalID = problem.New(problem.Invalid, "ticket-external-id-too-long", "/refundTicketMerchantExternalId",
		"refundTicketMerchantExternalId must be at most 128 characters")
	errTicketMetadata = problem.New(problem.Invalid, "ticket-metadata-too-large", "/metadata", "metadata must be at most 4096 bytes of JSON")

	errPaymentUnknown = problem.New(problem.NotFound, "payment-not-found", "/paymentId", "Payment not found")
	errTicketUnknown  = problem.New(problem.NotFound, "ticket-not-found", "/ticketId", "Refund ticket not found")
	errTicketOpen     = problem.New(problem.Conflict, "ticket-open", "/paymentId", "A refund ticket is already open for this payment")
	errTooManyTickets = problem.New(problem.Invalid, "too-many-tickets", "/paymentId", "Too many refund tickets for this payment")
)

func paymentStatus(p *Payment) *problem.Problem {
	return problem.New(problem.Invalid, "payment-not-refundable", "/paymentId", "Payment cannot be refunded, current status: "+string(p.Status))
}

func ticketStatus(verb string, t *Ticket) *problem.Problem {
	return problem.New(problem.Invalid, "ticket-not-reviewable", "/ticketId", "Refund ticket cannot be "+verb+", current status: "+string(t.Status))
}

func wrongCurrency(c money.Currency) *problem.Problem {
	return problem.New(problem.Invalid, "refund-currency-mismatch", "/requestedAmount/currency", "Refund currency mismatch: expected "+string(c))
}

func amountTooLarge(left money.Amount) *problem.Problem {
	return problem.New(problem.Invalid, "refund-amount-too-large", "/requestedAmount/amount",
		"Refund amount exceeds the refundable amount: "+left.String()+" "+string(left.Currency))
}

func windowClosed(window time.Duration) *problem.Problem {
	days := strconv.Itoa(int(window / (24 * time.Hour)))
	return problem.New(problem.Invalid, "refund-window-closed", "/paymentId", "Refund window has closed: "+days+" days after the payment")
}
