package graph

import (
	"context"
	"math"

	"github.com/crepe-checkout/crepe/core/money"
	"github.com/crepe-checkout/crepe/edge/orders"
)

type analysisArgs struct{ StoreID string }

// analysis resolves counts and sums of a store; without a store everything is 0.
type analysis struct {
	v     *viewer
	store string
}

// analysisOf begins every analysis. An id that the viewer may not see has nothing.
func analysisOf(ctx context.Context, storeID string) (*analysis, error) {
	v, err := merchantOf(ctx)
	if err != nil {
		return nil, err
	}
	stores, err := v.storesIn(ctx, &storeID)
	if err != nil || len(stores) == 0 {
		return &analysis{v: v}, err
	}
	return &analysis{v, storeID}, nil
}

func (q *query) OrderStatistics(ctx context.Context, args analysisArgs) (*orderStatistics, error) {
	a, err := analysisOf(ctx, args.StoreID)
	return &orderStatistics{a}, err
}

func (q *query) PaymentStatistics(ctx context.Context, args analysisArgs) (*paymentStatistics, error) {
	a, err := analysisOf(ctx, args.StoreID)
	if err != nil {
		return nil, err
	}
	_, best, err := a.sums(ctx)
	return &paymentStatistics{best}, err
}

func (q *query) CustomerAnalysis(ctx context.Context, args analysisArgs) (*customerAnalysis, error) {
	a, err := analysisOf(ctx, args.StoreID)
	if err != nil || a.store == "" {
		return &customerAnalysis{}, err
	}
	buyers, err := a.v.config.Records.CountBuyers(ctx, a.v.env, a.store)
	return &customerAnalysis{int32(min(buyers, math.MaxInt32))}, err
}

func (q *query) TrendAnalysis(ctx context.Context, args analysisArgs) (*trendAnalysis, error) {
	a, err := analysisOf(ctx, args.StoreID)
	return &trendAnalysis{a}, err
}

// sums returns what the store has sold by currency, and the sum of the currency with most orders.
func (a *analysis) sums(ctx context.Context) (all []orders.DaySales, best orders.DaySales, err error) {
	days, err := a.days(ctx)
	place := map[string]int{}
	for _, day := range days {
		i, known := place[day.Currency]
		if !known {
			i = len(all)
			place[day.Currency], all = i, append(all, orders.DaySales{Currency: day.Currency})
		}
		all[i].Orders += day.Orders
		all[i].Total += day.Total
	}
	for _, s := range all {
		if s.Orders > best.Orders {
			best = s
		}
	}
	return all, best, err
}

func (a *analysis) days(ctx context.Context) ([]orders.DaySales, error) {
	if a.store == "" {
		return nil, nil
	}
	days, err := a.v.config.Records.Sales(ctx, a.v.env, a.store, "", "")
	if err == nil {
		err = a.v.spend(len(days))
	}
	return days, err
}

type orderStatistics struct{ *analysis }

type statusCount struct {
	Status string
	Count  int32
}

func (s *orderStatistics) TotalCount(ctx context.Context) (int32, error) {
	return s.count(ctx, nil)
}

func (s *orderStatistics) count(ctx context.Context, statuses []string) (int32, error) {
	if s.store == "" {
		return 0, nil
	}
	count, err := s.v.config.Records.CountOrders(ctx, orders.List{Environment: s.v.env, Stores: []string{s.store}, Statuses: statuses})
	return int32(min(count, math.MaxInt32)), err
}

func (s *orderStatistics) CountsByStatus(ctx context.Context) (counts []statusCount, err error) {
	for _, status := range []string{"pending", "completed", "canceled"} {
		count, err := s.count(ctx, []string{status})
		if err != nil {
			return nil, err
		}
		counts = append(counts, statusCount{status, count})
	}
	return counts, nil
}

func (s *orderStatistics) CountByStatus(ctx context.Context) ([]statusCount, error) {
	return s.CountsByStatus(ctx)
}

type currencyRevenue struct {
	Currency, TotalAmount string
	PaymentCount          int32
}

func (s *orderStatistics) RevenueByCurrency(ctx context.Context) (list []currencyRevenue, err error) {
	all, _, err := s.sums(ctx)
	for _, sum := range all {
		list = append(list, currencyRevenue{sum.Currency, amountOf(sum), int32(min(sum.Orders, math.MaxInt32))})
	}
	return list, err
}

// amountOf is a sum as an amount; "0" where nothing was sold in any currency.
func amountOf(s orders.DaySales) string {
	if s.Currency == "" {
		return "0"
	}
	return display(s.Total, money.Currency(s.Currency))
}

type paymentStatistics struct{ sum orders.DaySales }

func (s *paymentStatistics) TotalSucceededAmount() string    { return amountOf(s.sum) }
func (s *paymentStatistics) TotalSucceededCurrency() *string { return orNull(s.sum.Currency) }
func (s *paymentStatistics) TotalSucceededCount() int32 {
	return int32(min(s.sum.Orders, math.MaxInt32))
}

type customerAnalysis struct{ TotalCustomers int32 }

type trendAnalysis struct{ *analysis }

type periodRevenue struct {
	Period, Currency, Amount string
	Count                    int32
}

func (t *trendAnalysis) RevenueByPeriod(ctx context.Context) (list []periodRevenue, err error) {
	_, best, err := t.sums(ctx)
	if err != nil {
		return nil, err
	}
	days, err := t.days(ctx)
	for _, day := range days {
		if day.Currency == best.Currency {
			list = append(list, periodRevenue{day.Day, day.Currency, amountOf(day), int32(min(day.Orders, math.MaxInt32))})
		}
	}
	return list, err
}
