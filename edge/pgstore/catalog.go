package pgstore

import (
	"context"
	"time"

	"github.com/crepe-checkout/crepe/edge/catalog"
)

// Merchant implements catalog.Records.
func (db *DB) Merchant(ctx context.Context, id string) (*catalog.Merchant, error) {
	return one[catalog.Merchant](ctx, db, catalog.ErrNotFound, "SELECT record FROM merchants WHERE id = $1", id)
}

// Merchants implements catalog.Records.
func (db *DB) Merchants(ctx context.Context, after string, limit int) ([]*catalog.Merchant, error) {
	return all[catalog.Merchant](ctx, db, "SELECT record FROM merchants WHERE id > $1 ORDER BY id LIMIT $2", after, limit)
}

// Store implements catalog.Records.
func (db *DB) Store(ctx context.Context, id string) (*catalog.Store, error) {
	return one[catalog.Store](ctx, db, catalog.ErrNotFound, "SELECT record FROM stores WHERE id = $1", id)
}

// StoreBySlug implements catalog.Records.
func (db *DB) StoreBySlug(ctx context.Context, slug string) (*catalog.Store, error) {
	return one[catalog.Store](ctx, db, catalog.ErrNotFound,
		"SELECT s.record FROM slugs l JOIN stores s ON s.id = l.store_id WHERE l.slug = $1", slug)
}

// Product implements catalog.Records.
func (db *DB) Product(ctx context.Context, id string) (*catalog.Product, error) {
	return one[catalog.Product](ctx, db, catalog.ErrNotFound, "SELECT record FROM products WHERE id = $1", id)
}

// Version implements catalog.Records.
func (db *DB) Version(ctx context.Context, productID, id string) (*catalog.Version, error) {
	return one[catalog.Version](ctx, db, catalog.ErrNotFound, "SELECT record FROM product_versions WHERE product_id = $1 AND id = $2",
		productID, id)
}

// Stores implements catalog.Lists.
func (db *DB) Stores(ctx context.Context, merchantID string, skip, limit int) ([]*catalog.Store, error) {
	return all[catalog.Store](ctx, db, "SELECT record FROM stores WHERE merchant_id = $1 ORDER BY id DESC LIMIT $2 OFFSET $3", merchantID,
		max(limit, 0), max(skip, 0))
}

// Products implements catalog.Lists.
func (db *DB) Products(ctx context.Context, storeID string, skip, limit int) ([]*catalog.Product, error) {
	return all[catalog.Product](ctx, db, "SELECT record FROM products WHERE store_id = $1 ORDER BY id DESC LIMIT $2 OFFSET $3", storeID,
		max(limit, 0), max(skip, 0))
}

// Versions implements catalog.Lists.
func (db *DB) Versions(ctx context.Context, productID string, skip, limit int) ([]*catalog.Version, error) {
	return all[catalog.Version](ctx, db,
		"SELECT record FROM product_versions WHERE product_id = $1 ORDER BY number DESC LIMIT $2 OFFSET $3", productID, max(limit, 0), max(skip, 0))
}

// OriginListed implements catalog.Origins.
func (db *DB) OriginListed(ctx context.Context, origin string) (bool, error) {
	n, err := count(ctx, db, "SELECT count(*) FROM (SELECT 1 FROM origins WHERE origin = $1 LIMIT 1) AS listed", origin)
	return n > 0, err
}

// Put implements catalog.Records.
func (db *DB) Put(ctx context.Context, c catalog.Change) error {
	var statements []statement
	add := func(more []statement, err error) error {
		statements = append(statements, more...)
		return err
	}
	if c.Merchant != nil {
		if err := add(merchantStatements(c.Merchant)); err != nil {
			return err
		}
	}
	if c.Store != nil {
		if err := add(storeStatements(c.Store)); err != nil {
			return err
		}
	}
	for _, p := range c.Products {
		if err := add(productStatements(p)); err != nil {
			return err
		}
	}
	return db.write(ctx, statements...)
}

func merchantStatements(m *catalog.Merchant) ([]statement, error) {
	next := *m
	next.Revision++
	s, err := merchantRow(m).put(m.Revision, &next, catalog.ErrStale)
	return []statement{s}, err
}

func merchantRow(m *catalog.Merchant) row {
	return row{"merchants", 1, []cell{{"id", m.ID}, {"name", m.Name}, {"created_at", time.UnixMilli(m.CreatedAt)}}}
}

func storeStatements(store *catalog.Store) ([]statement, error) {
	next := *store
	next.Revision++
	s, err := storeRow(store).put(store.Revision, &next, catalog.ErrStale)
	statements := []statement{s,
		{sql: `INSERT INTO slugs (slug, store_id) VALUES ($1, $2)
			ON CONFLICT (slug) DO UPDATE SET store_id = excluded.store_id WHERE slugs.store_id = excluded.store_id`,
			args: []any{store.Slug, store.ID}, otherwise: catalog.ErrSlugTaken},
		{sql: "DELETE FROM origins WHERE store_id = $1", args: []any{store.ID}}}
	return append(statements, originStatements(store)...), err
}

func storeRow(store *catalog.Store) row {
	return row{"stores", 1, []cell{{"id", store.ID}, {"merchant_id", store.MerchantID}, {"slug", store.Slug}, {"name", store.Name},
		{"created_at", time.UnixMilli(store.CreatedAt)}}}
}

func originStatements(store *catalog.Store) (statements []statement) {
	for _, origin := range store.Origins {
		statements = append(statements, statement{sql: "INSERT INTO origins (origin, store_id) VALUES ($1, $2) ON CONFLICT DO NOTHING",
			args: []any{origin, store.ID}})
	}
	return statements
}

// productStatements write a product, and each version that it has beside it.
func productStatements(p *catalog.Product) ([]statement, error) {
	next := *p
	next.Revision++
	s, err := productRow(p).put(p.Revision, &next, catalog.ErrStale)
	statements := []statement{s}
	for _, listing := range []catalog.Listing{p.Test, p.Prod} {
		if v := listing.Version; v != nil && err == nil {
			s, err = versionStatement(p.ID, v)
			statements = append(statements, s)
		}
	}
	return statements, err
}

func productRow(p *catalog.Product) row {
	return row{"products", 1, []cell{{"id", p.ID}, {"store_id", p.StoreID}, {"created_at", time.UnixMilli(p.CreatedAt)},
		{"updated_at", time.UnixMilli(p.UpdatedAt)}}}
}

// versionStatement writes a version of a product, unless it is there.
func versionStatement(productID string, v *catalog.Version) (statement, error) {
	text, err := encoded(v)
	return statement{sql: `INSERT INTO product_versions (product_id, id, number, name, created_at, record)
		VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (product_id, id) DO NOTHING`,
		args: []any{productID, v.ID, v.Number, v.Name, time.UnixMilli(v.CreatedAt), text}}, err
}
