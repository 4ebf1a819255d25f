package admin

import (
	"context"
	"time"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/problem"
	"github.com/crepe-checkout/crepe/edge/erasure"
)

// EraseRequest asks to erase a buyer, see [erasure.Request]. The first one has no After and Counts; then they are those of the answer
// before, until Next is "".
type EraseRequest struct {
	Buyer       string         `json:"buyer"`                 // an e-mail address
	Environment string         `json:"environment,omitempty"` // test or prod; "" is both
	StoreID     string         `json:"storeId,omitempty"`     // "" is all
	KeepYears   int            `json:"keepYears"`
	DryRun      bool           `json:"dryRun,omitempty"`
	After       string         `json:"after,omitempty"`
	Counts      []ErasureCount `json:"counts,omitempty"`
}

// EraseStep is what one step has done.
type EraseStep struct {
	Items   []ErasedItem   `json:"items"`
	Counts  []ErasureCount `json:"counts"`
	Scanned int            `json:"scanned"`
	Next    string         `json:"next,omitempty"`
	Entry   *Erasure       `json:"entry,omitempty"` // of a request that is done and no dry run
}

// ErasedItem is what became of one record.
type ErasedItem struct {
	Kind        string               `json:"kind"`
	Environment checkout.Environment `json:"environment"`
	StoreID     string               `json:"storeId,omitempty"`
	ID          string               `json:"id,omitempty"`
	Outcome     erasure.Outcome      `json:"outcome"`
	Why         string               `json:"why,omitempty"`
	Until       *time.Time           `json:"until,omitempty"`
}

// ErasureCount counts records.
type ErasureCount struct {
	Kind    string          `json:"kind"`
	Outcome erasure.Outcome `json:"outcome"`
	N       int             `json:"n"`
	Until   *time.Time      `json:"until,omitempty"`
}

// Erasure is a request that was carried out.
type Erasure struct {
	ID          string               `json:"id"`
	At          time.Time            `json:"at"`
	Buyer       string               `json:"buyer"` // a keyed hash
	Environment checkout.Environment `json:"environment,omitempty"`
	StoreID     string               `json:"storeId,omitempty"`
	Counts      []ErasureCount       `json:"counts"`
}

// maxKeepYears is longer than any tax law asks for.
const maxKeepYears = 30

func (a *Admin) erase(ctx context.Context, in EraseRequest) (EraseStep, error) {
	r := erasure.Request{Buyer: in.Buyer, StoreID: in.StoreID, KeepYears: in.KeepYears, DryRun: in.DryRun, After: in.After}
	envs, err := parseEnvironments(in.Environment)
	if err != nil {
		return EraseStep{}, err
	}
	if len(envs) == 1 {
		r.Environment = envs[0]
	}
	if in.KeepYears < 0 || in.KeepYears > maxKeepYears {
		return EraseStep{}, refusef(problem.Invalid, "sales are kept for %d years at most", maxKeepYears)
	}
	if in.StoreID != "" {
		if _, err := a.reportStores(ctx, in.StoreID); err != nil {
			return EraseStep{}, err
		}
	}
	for _, c := range in.Counts {
		r.Counts = append(r.Counts, erasure.Count{Kind: c.Kind, Outcome: c.Outcome, N: c.N, Until: milli(c.Until)})
	}
	step, err := a.config.Erasures.Erase(ctx, r)
	if err != nil {
		return EraseStep{}, err
	}
	shown := EraseStep{Items: []ErasedItem{}, Counts: showCounts(step.Counts), Scanned: step.Scanned, Next: step.Next}
	for _, i := range step.Items {
		shown.Items = append(shown.Items, ErasedItem{i.Kind, i.Environment, i.StoreID, i.ID, i.Outcome, i.Why, moment(i.Until)})
	}
	if step.Entry != nil {
		entry := showErasure(step.Entry)
		shown.Entry = &entry
	}
	return shown, nil
}

// ErasuresRequest asks for a page of the entries, of one buyer unless Buyer is "".
type ErasuresRequest struct {
	Buyer string `json:"buyer,omitempty"`
	After string `json:"after,omitempty"`
}

func (a *Admin) listErasures(ctx context.Context, in ErasuresRequest) (List[Erasure], error) {
	hash := ""
	if in.Buyer != "" {
		var err error
		if hash, err = a.config.Erasures.Hash(ctx, in.Buyer); err != nil {
			return List[Erasure]{}, err
		}
	}
	page, err := a.config.Erasures.Store.Erasures(ctx, in.After, pageSize)
	shown := List[Erasure]{Items: []Erasure{}, Next: page.Next}
	for i := range page.Items {
		if e := &page.Items[i]; hash == "" || e.Buyer == hash {
			shown.Items = append(shown.Items, showErasure(e))
		}
	}
	return shown, err
}

func showErasure(e *erasure.Entry) Erasure {
	return Erasure{e.ID, *moment(e.At), e.Buyer, e.Environment, e.StoreID, showCounts(e.Counts)}
}

func showCounts(counts []erasure.Count) []ErasureCount {
	shown := []ErasureCount{}
	for _, c := range counts {
		shown = append(shown, ErasureCount{c.Kind, c.Outcome, c.N, moment(c.Until)})
	}
	return shown
}

// milli is the opposite of [moment].
func milli(t *time.Time) int64 {
	if t == nil {
		return 0
	}
	return t.UnixMilli()
}
