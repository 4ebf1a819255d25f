package catalog

import (
	"context"
	"encoding/hex"
	"errors"
	"io"
	"strings"
	"time"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/problem"
	"github.com/crepe-checkout/crepe/edge/shortid"
)

// Config is what a [Service] is made of. A nil Unchargeable takes every price; the other fields are needed.
type Config struct {
	Records      Records
	Unchargeable Unchargeable
	Now          func() time.Time
	Rand         io.Reader // safe for concurrent use
}

// Service makes and changes the stores and products of merchants. A merchant reaches its own only: another merchant's, and those of
// a deleted store, are not found. Every change is a compare-and-set, so that of two at once none is lost. Refusals are a
// [*problem.Problem]. It is safe for concurrent use.
type Service struct{ config Config }

// New returns a service.
func New(c Config) *Service { return &Service{c} }

// slugTries is how often a taken slug is made anew. One of 16 million is taken by chance.
const slugTries = 10

// CreateStore makes a store with a new slug, and with settings of its own unless they are nil.
func (s *Service) CreateStore(ctx context.Context, merchantID, given string, settings *StoreChange) (*Store, error) {
	now := s.config.Now()
	store := &Store{ID: s.id(shortid.Store, now), MerchantID: merchantID, CreatedAt: now.UnixMilli(), UpdatedAt: now.UnixMilli()}
	if refused := name(Set(given), &store.Name, maxNewName); refused != nil {
		return nil, refused
	}
	if settings != nil {
		configured, refused := settings.Apply(store, now.UnixMilli())
		if refused != nil {
			return nil, refused
		}
		store = configured
	}
	var err error
	for range slugTries {
		store.Slug = newSlug(store.Name, s.config.Rand)
		if err = s.config.Records.Put(ctx, Change{Store: store}); !errors.Is(err, ErrSlugTaken) {
			break
		}
	}
	return store, err
}

// UpdateStore changes a store.
func (s *Service) UpdateStore(ctx context.Context, merchantID, id string, c *StoreChange) (*Store, error) {
	return s.rewriteStore(ctx, merchantID, id, c.Apply)
}

// DeleteStore deletes a store: it sells nothing any more and cannot be changed. Its records stay, and its slug stays taken.
func (s *Service) DeleteStore(ctx context.Context, merchantID, id string) (*Store, error) {
	return s.rewriteStore(ctx, merchantID, id, func(store *Store, now int64) (*Store, *problem.Problem) {
		deleted := *store
		deleted.DeletedAt, deleted.UpdatedAt = now, now
		return &deleted, nil
	})
}

func (s *Service) rewriteStore(ctx context.Context, merchantID, id string, change func(*Store, int64) (*Store, *problem.Problem)) (*Store, error) {
	for {
		store, err := s.store(ctx, merchantID, id, "/id")
		if err != nil {
			return nil, err
		}
		changed, refused := change(store, s.config.Now().UnixMilli())
		if refused != nil {
			return nil, refused
		}
		if err := s.config.Records.Put(ctx, Change{Store: changed}); !errors.Is(err, ErrStale) {
			return changed, err
		}
	}
}

// CreateProduct makes a one-time product with its first version, which is on sale in test.
func (s *Service) CreateProduct(ctx context.Context, merchantID, storeID string, c *ProductChange) (*Product, error) {
	if _, err := s.store(ctx, merchantID, storeID, "/storeId"); err != nil {
		return nil, err
	}
	version, refused := c.Apply(new(Version), s.config.Unchargeable)
	if refused != nil {
		return nil, refused
	}
	now := s.config.Now()
	s.number(version, 1, now)
	p := &Product{ID: s.id(shortid.Product, now), StoreID: storeID, Type: checkout.OneTime, Test: Listing{Version: version},
		CreatedAt: now.UnixMilli(), UpdatedAt: now.UnixMilli()}
	return p, s.config.Records.Put(ctx, Change{Products: []*Product{p}})
}

// UpdateProduct changes a product: it makes a new version, which replaces the one on sale in test. Where nothing differs it makes
// none.
func (s *Service) UpdateProduct(ctx context.Context, merchantID, id string, c *ProductChange) (*Product, error) {
	return s.rewriteProduct(ctx, merchantID, id, func(p *Product, now time.Time) (*Product, *problem.Problem) {
		version, refused := c.Apply(p.Test.Version, s.config.Unchargeable)
		if refused != nil || sameContent(version, p.Test.Version) {
			return p, refused
		}
		s.number(version, p.Test.Version.Number+1, now)
		changed := *p
		changed.Test.Version = version
		return &changed, nil
	})
}

// PublishProduct puts the version that is on sale in test on sale in prod.
func (s *Service) PublishProduct(ctx context.Context, merchantID, id string) (*Product, error) {
	return s.rewriteProduct(ctx, merchantID, id, func(p *Product, _ time.Time) (*Product, *problem.Problem) {
		if p.Prod.Version != nil && p.Prod.Version.ID == p.Test.Version.ID {
			return p, nil
		}
		return p.publish(s.config.Unchargeable)
	})
}

// SetProductStatus puts a product on sale in an environment, or takes it off sale.
func (s *Service) SetProductStatus(ctx context.Context, merchantID, id string, env checkout.Environment, status string) (*Product, error) {
	return s.rewriteProduct(ctx, merchantID, id, func(p *Product, _ time.Time) (*Product, *problem.Problem) {
		switch {
		case status == "":
			return nil, missing("/status")
		case Status(status) != Active && Status(status) != Inactive:
			return nil, invalid("/status", "one of [active, inactive]")
		case p.In(env).Version == nil:
			return nil, problem.New(problem.Invalid, "product-not-published", "/id", "Product is not published")
		case p.In(env).Inactive == (Status(status) == Inactive):
			return p, nil
		}
		changed := *p
		changed.In(env).Inactive = Status(status) == Inactive
		return &changed, nil
	})
}

// rewriteProduct reads, changes and writes a product. A change that returns the product itself writes nothing.
func (s *Service) rewriteProduct(ctx context.Context, merchantID, id string, change func(*Product, time.Time) (*Product, *problem.Problem)) (*Product, error) {
	for {
		p, err := s.product(ctx, merchantID, id)
		if err != nil {
			return nil, err
		}
		now := s.config.Now()
		changed, refused := change(p, now)
		if refused != nil {
			return nil, refused
		}
		if changed == p {
			return p, nil
		}
		changed.UpdatedAt = now.UnixMilli()
		if err := s.config.Records.Put(ctx, Change{Products: []*Product{changed}}); !errors.Is(err, ErrStale) {
			return changed, err
		}
	}
}

// store reads a merchant's store. path is where the request has its id.
func (s *Service) store(ctx context.Context, merchantID, id, path string) (*Store, error) {
	if refused := checkID(path, shortid.Store, id); refused != nil {
		return nil, refused
	}
	store, err := s.config.Records.Store(ctx, id)
	if errors.Is(err, ErrNotFound) || err == nil && (store.MerchantID != merchantID || store.DeletedAt != 0) {
		return nil, StoreNotFound(path)
	}
	return store, err
}

// product reads a one-time product of one of a merchant's stores.
func (s *Service) product(ctx context.Context, merchantID, id string) (*Product, error) {
	if refused := checkID("/id", shortid.Product, id); refused != nil {
		return nil, refused
	}
	p, err := s.config.Records.Product(ctx, id)
	if errors.Is(err, ErrNotFound) {
		return nil, productNotFound("/id")
	}
	if err != nil {
		return nil, err
	}
	_, err = s.store(ctx, merchantID, p.StoreID, "/id")
	if refused, ok := errors.AsType[*problem.Problem](err); ok && refused.Kind == problem.NotFound || err == nil && p.Type != checkout.OneTime {
		return nil, productNotFound("/id")
	}
	return p, err
}

func (s *Service) id(prefix string, now time.Time) string {
	return shortid.Format(prefix, shortid.NewV7(now, s.config.Rand))
}

// number makes a version a new one.
func (s *Service) number(v *Version, n int, now time.Time) {
	v.ID, v.Number, v.CreatedAt = s.id(shortid.ProductVersion, now), n, now.UnixMilli()
}

// newSlug makes a slug of a name: its letters and digits, and six random hexadecimal digits.
func newSlug(name string, random io.Reader) string {
	var suffix [3]byte
	if _, err := io.ReadFull(random, suffix[:]); err != nil {
		panic("catalog: no randomness: " + err.Error())
	}
	return slugOf(name) + "-" + hex.EncodeToString(suffix[:])
}

// maxSlugName is the longest part of a slug that comes from the name, in bytes.
const maxSlugName = 48

// latin writes the commonest Latin letters without their marks.
var latin = strings.NewReplacer("ä", "ae", "ö", "oe", "ü", "ue", "ß", "ss", "æ", "ae", "œ", "oe", "ø", "o", "à", "a", "á", "a", "â", "a", "ã", "a",
	"å", "a", "ą", "a", "ç", "c", "ć", "c", "č", "c", "è", "e", "é", "e", "ê", "e", "ë", "e", "ę", "e", "ě", "e", "ğ", "g", "ì", "i", "í", "i",
	"î", "i", "ï", "i", "ı", "i", "ł", "l", "ñ", "n", "ń", "n", "ò", "o", "ó", "o", "ô", "o", "õ", "o", "ř", "r", "ś", "s", "š", "s", "ş", "s",
	"ù", "u", "ú", "u", "û", "u", "ů", "u", "ý", "y", "ÿ", "y", "ź", "z", "ż", "z", "ž", "z")

// slugOf returns the letters and digits of a name, with hyphens between its words; "store" if there are none.
func slugOf(name string) string {
	words := strings.FieldsFunc(latin.Replace(strings.ToLower(name)), func(r rune) bool { return !(r >= 'a' && r <= 'z' || r >= '0' && r <= '9') })
	slug := strings.Join(words, "-")
	slug = strings.Trim(slug[:min(len(slug), maxSlugName)], "-")
	if slug == "" {
		return "store"
	}
	return slug
}
