package dashboard

import (
	"context"
	"errors"
	"slices"

	"github.com/crepe-checkout/crepe/edge/catalog"
)

// Catalog reads merchants, stores and products.
type Catalog interface {
	catalog.Lists
	Merchants(ctx context.Context, after string, limit int) ([]*catalog.Merchant, error)
	Store(ctx context.Context, id string) (*catalog.Store, error)
	Product(ctx context.Context, id string) (*catalog.Product, error)
}

// maxStores is how many stores a page reads. Where there are more, one is chosen by its id: ?store=STO_….
const maxStores = 100

// stores are the stores that a page is about.
type stores struct {
	all    []*catalog.Store // of all merchants, the first ones
	more   bool             // there are more than all
	chosen *catalog.Store   // nil for all of them
}

// readStores reads the stores of all merchants, and the one that the request has chosen. An unknown one is [errNotFound].
func (h *Handler) readStores(ctx context.Context, id string) (s stores, err error) {
	if id != "" {
		if s.chosen, err = h.config.Catalog.Store(ctx, id); errors.Is(err, catalog.ErrNotFound) {
			return s, errNotFound
		}
		if err != nil {
			return s, err
		}
	}
	for after := ""; ; {
		merchants, err := h.config.Catalog.Merchants(ctx, after, maxStores)
		if err != nil || len(merchants) == 0 {
			return s, err
		}
		for _, m := range merchants {
			after = m.ID
			listed, err := h.config.Catalog.Stores(ctx, m.ID, 0, maxStores+1-len(s.all))
			if err != nil {
				return s, err
			}
			if s.all = append(s.all, listed...); len(s.all) > maxStores {
				s.all, s.more = s.all[:maxStores], true
				return s, nil
			}
		}
	}
}

// ids are the ids of the chosen store, or of all.
func (s *stores) ids() (ids []string) {
	for _, store := range s.shown() {
		ids = append(ids, store.ID)
	}
	return ids
}

// shown is the chosen store, or all.
func (s *stores) shown() []*catalog.Store {
	if s.chosen != nil {
		return []*catalog.Store{s.chosen}
	}
	return s.all
}

// name returns the name of a store, or its id where the name was not read.
func (s *stores) name(id string) string {
	for _, store := range append(s.shown(), s.all...) {
		if store.ID == id {
			return store.Name
		}
	}
	return id
}

// chosenID is the id of the chosen store, "" for all.
func (s *stores) chosenID() string {
	if s.chosen == nil {
		return ""
	}
	return s.chosen.ID
}

// option is an option of a list to choose from.
type option struct {
	Value, Name string
	Chosen      bool
}

// options are the stores to choose from. There is nothing to choose where there is one.
func (s *stores) options() []option {
	if len(s.all) < 2 && s.chosen == nil {
		return nil
	}
	options := []option{{"", "All stores", s.chosen == nil}}
	if s.more {
		options[0].Name = "The first 100 stores"
	}
	known := false
	for _, store := range s.all {
		chosen := store.ID == s.chosenID()
		known = known || chosen
		options = append(options, option{store.ID, label(store), chosen})
	}
	if s.chosen != nil && !known {
		options = append(options, option{s.chosen.ID, label(s.chosen), true})
	}
	return options
}

// label is the name of a store in a list to choose from.
func label(s *catalog.Store) string {
	if s.DeletedAt != 0 {
		return s.Name + " (deleted)"
	}
	return s.Name
}

// oneOf are the stores to choose one from.
func (s *stores) oneOf() []option {
	options := s.options()
	if len(options) == 0 {
		return nil
	}
	for i, store := 1, s.choose(); i < len(options); i++ {
		options[i].Chosen = options[i].Value == store.ID
	}
	return options[1:]
}

// choose returns the store for a page that shows one: the chosen store, or else the first that is not deleted, or else the first.
func (s *stores) choose() *catalog.Store {
	if s.chosen != nil || len(s.all) == 0 {
		return s.chosen
	}
	if i := slices.IndexFunc(s.all, func(store *catalog.Store) bool { return store.DeletedAt == 0 }); i >= 0 {
		return s.all[i]
	}
	return s.all[0]
}
