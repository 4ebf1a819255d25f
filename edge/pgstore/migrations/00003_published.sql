-- +goose NO TRANSACTION
-- +goose Up

-- Lists have published orders only: an order gets its entries when its status is set, and not also when it is made.
CREATE INDEX IF NOT EXISTS orders_published ON orders (environment, store_id, status, created_at DESC, id) WHERE status IS NOT NULL;
CREATE INDEX IF NOT EXISTS orders_published_email ON orders (environment, store_id, buyer_email, created_at DESC, id)
  WHERE status IS NOT NULL AND buyer_email IS NOT NULL;
CREATE INDEX IF NOT EXISTS orders_published_identity ON orders (environment, store_id, buyer_identity, created_at DESC, id)
  WHERE status IS NOT NULL AND buyer_identity IS NOT NULL;
CREATE INDEX IF NOT EXISTS orders_published_external_id ON orders (environment, store_id, external_id, created_at DESC, id)
  WHERE status IS NOT NULL AND external_id IS NOT NULL;
DROP INDEX IF EXISTS orders_by_status;
DROP INDEX IF EXISTS orders_by_email;
DROP INDEX IF EXISTS orders_by_identity;
DROP INDEX IF EXISTS orders_by_external_id;

-- +goose Down
CREATE INDEX IF NOT EXISTS orders_by_status ON orders (environment, store_id, status, created_at DESC, id);
CREATE INDEX IF NOT EXISTS orders_by_email ON orders (environment, store_id, buyer_email, created_at DESC, id) WHERE buyer_email IS NOT NULL;
CREATE INDEX IF NOT EXISTS orders_by_identity ON orders (environment, store_id, buyer_identity, created_at DESC, id) WHERE buyer_identity IS NOT NULL;
CREATE INDEX IF NOT EXISTS orders_by_external_id ON orders (environment, store_id, external_id, created_at DESC, id) WHERE external_id IS NOT NULL;
DROP INDEX IF EXISTS orders_published;
DROP INDEX IF EXISTS orders_published_email;
DROP INDEX IF EXISTS orders_published_identity;
DROP INDEX IF EXISTS orders_published_external_id;
