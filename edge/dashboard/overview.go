package dashboard

import (
	"errors"
	"slices"
	"strconv"

	"github.com/crepe-checkout/crepe/edge/orders"
)

// overviewPage is the first page of an environment.
type overviewPage struct {
	Stores         []option
	Periods        []option
	Days           int
	Waiting        orders.Unhandled
	Tickets        int // that wait for a decision, of the first ones
	RefundsPath    string
	QuarantinePath string
	RefundDuePath  string
	Currencies     []currencySales
	Hidden         int // currencies that are in the table only
	Table          []saleRow
	Latest         []orderRow
	OrdersPath     string
}

// currencySales are the charts of one currency.
type currencySales struct {
	Currency, Orders, Sum string
	OrdersChart, SumChart chart
}

// saleRow is a line of the table: a day and a currency.
type saleRow struct{ Day, Orders, Sum string }

// latest is how many orders the overview lists.
const latest = 8

func (h *Handler) overview(v *visit) (page, error) {
	p := &overviewPage{Stores: v.stores.options(), Days: 30, QuarantinePath: v.path("quarantine", ""), RefundDuePath: v.path("refund-due", ""),
		OrdersPath: v.path("orders", ""), RefundsPath: v.path("refunds", "")}
	if days, err := strconv.Atoi(v.query("days")); err == nil && slices.Contains(periods, days) {
		p.Days = days
	}
	for _, days := range periods {
		p.Periods = append(p.Periods, option{strconv.Itoa(days), "Last " + strconv.Itoa(days) + " days", days == p.Days})
	}
	var err error
	if p.Waiting, err = h.config.Orders.Unhandled(v.ctx, v.env); err != nil {
		return page{}, err
	}
	open, err := h.config.Orders.OpenTickets(v.ctx, v.env, "", pageSize)
	if err != nil {
		return page{}, err
	}
	for i := range open.Items {
		if t := &open.Items[i]; t.Order.Ticket(t.TicketID).Status == orders.TicketPending {
			p.Tickets++
		}
	}
	if err := h.addSales(v, p); err != nil {
		return page{}, err
	}
	listed, err := h.config.Orders.Orders(v.ctx, orders.List{Environment: v.env, Stores: v.stores.ids(), Limit: latest})
	for _, o := range listed.Orders {
		row, marked := h.orderRow(v, o)
		p.Latest, err = append(p.Latest, row), errors.Join(err, marked)
	}
	return page{template: "overview", title: "Overview", data: p}, err
}

func (h *Handler) addSales(v *visit, p *overviewPage) error {
	s := sales{days: periodOf(h.config.Now(), p.Days), byCurrency: make(map[string]map[string]daySum)}
	for _, id := range v.stores.ids() {
		sold, err := h.config.Orders.Sales(v.ctx, v.env, id, s.days[0], s.days[len(s.days)-1])
		if err != nil {
			return err
		}
		s.add(sold)
	}
	currencies := s.currencies()
	for _, currency := range currencies[:min(len(currencies), maxCurrencies)] {
		sum := s.sum(currency)
		p.Currencies = append(p.Currencies, currencySales{currency, count(sum.orders), sumIn(currency)(sum.total),
			s.chart("Orders in "+currency, currency, func(d daySum) int64 { return d.orders }, count),
			s.chart("Sum in "+currency, currency, func(d daySum) int64 { return d.total }, sumIn(currency))})
	}
	p.Hidden = len(currencies) - len(p.Currencies)
	for _, d := range slices.Backward(s.days) {
		for _, currency := range currencies {
			if sold := s.byCurrency[currency][d]; sold.orders > 0 {
				p.Table = append(p.Table, saleRow{day(d), count(sold.orders), sumIn(currency)(sold.total)})
			}
		}
	}
	return nil
}
