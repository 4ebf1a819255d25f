-- +goose NO TRANSACTION
-- +goose Up

-- What the database is used for, the deployment's id, the keys that sign webhooks.
CREATE TABLE settings (
  name  text  PRIMARY KEY,
  value bytea NOT NULL
);

CREATE TABLE merchants (
  id         text        PRIMARY KEY,
  version    bigint      NOT NULL,
  name       text        NOT NULL,
  created_at timestamptz NOT NULL,
  record     json        NOT NULL
);

CREATE TABLE stores (
  id          text        PRIMARY KEY,
  merchant_id text        NOT NULL,
  version     bigint      NOT NULL,
  slug        text        NOT NULL,
  name        text        NOT NULL,
  created_at  timestamptz NOT NULL,
  record      json        NOT NULL
);
CREATE INDEX stores_by_merchant ON stores (merchant_id, id);

-- A slug stays with its store after the store has another one, or none.
CREATE TABLE slugs (
  slug     text PRIMARY KEY,
  store_id text NOT NULL
);

CREATE TABLE origins (
  origin   text NOT NULL,
  store_id text NOT NULL,
  PRIMARY KEY (origin, store_id)
);
CREATE INDEX origins_by_store ON origins (store_id);

CREATE TABLE products (
  id         text        PRIMARY KEY,
  store_id   text        NOT NULL,
  version    bigint      NOT NULL,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  record     json        NOT NULL
);
CREATE INDEX products_by_store ON products (store_id, id);

CREATE TABLE product_versions (
  product_id text        NOT NULL,
  id         text        NOT NULL,
  number     bigint      NOT NULL,
  name       text        NOT NULL,
  created_at timestamptz NOT NULL,
  record     json        NOT NULL,
  PRIMARY KEY (product_id, id),
  UNIQUE (product_id, number)
);

CREATE TABLE sessions (
  id          text        PRIMARY KEY,
  environment text        NOT NULL,
  store_id    text        NOT NULL,
  merchant_id text        NOT NULL,
  product_id  text        NOT NULL,
  order_id    text,
  currency    text        NOT NULL,
  price       bigint      NOT NULL,
  closed      boolean     NOT NULL,
  created_at  timestamptz NOT NULL,
  expires_at  timestamptz NOT NULL,
  kept_until  timestamptz,
  version     bigint      NOT NULL,
  record      json        NOT NULL
);
CREATE INDEX sessions_by_store ON sessions (environment, store_id, created_at DESC, id);
CREATE INDEX sessions_expired ON sessions (kept_until) WHERE kept_until IS NOT NULL;

-- status is the published one; NULL for an order that the API does not show. paid_at is the first payment's.
CREATE TABLE orders (
  id             text        PRIMARY KEY,
  environment    text        NOT NULL,
  store_id       text        NOT NULL,
  merchant_id    text        NOT NULL,
  session_id     text        NOT NULL,
  product_id     text        NOT NULL,
  state          text        NOT NULL,
  status         text,
  currency       text        NOT NULL,
  subtotal       bigint      NOT NULL,
  tax            bigint      NOT NULL,
  total          bigint      NOT NULL,
  country        text        NOT NULL,
  buyer_email    text,
  buyer_identity text,
  external_id    text,
  created_at     timestamptz NOT NULL,
  updated_at     timestamptz NOT NULL,
  paid_at        timestamptz,
  due_at         timestamptz,
  refund_due     boolean     NOT NULL,
  refund_handled_at timestamptz,
  version        bigint      NOT NULL,
  record         json        NOT NULL
);
CREATE INDEX orders_by_status ON orders (environment, store_id, status, created_at DESC, id);
CREATE INDEX orders_by_email ON orders (environment, store_id, buyer_email, created_at DESC, id) WHERE buyer_email IS NOT NULL;
CREATE INDEX orders_by_identity ON orders (environment, store_id, buyer_identity, created_at DESC, id) WHERE buyer_identity IS NOT NULL;
CREATE INDEX orders_by_external_id ON orders (environment, store_id, external_id, created_at DESC, id) WHERE external_id IS NOT NULL;
CREATE INDEX orders_due ON orders (due_at, id) WHERE due_at IS NOT NULL;
CREATE INDEX orders_paid ON orders (environment, store_id, paid_at) WHERE paid_at IS NOT NULL;
CREATE INDEX orders_refund_due ON orders (environment, id) WHERE refund_due;

-- The payments, tickets and refunds of an order, as its record has them: for lists, and to find the order.
CREATE TABLE payments (
  id          text        PRIMARY KEY,
  environment text        NOT NULL,
  store_id    text        NOT NULL,
  order_id    text        NOT NULL,
  status      text        NOT NULL,
  provider    text        NOT NULL,
  reference   text        NOT NULL,
  at          timestamptz NOT NULL
);
CREATE INDEX payments_by_status ON payments (environment, store_id, status, at DESC, id);
CREATE INDEX payments_by_reference ON payments (environment, provider, reference);

CREATE TABLE tickets (
  id          text        PRIMARY KEY,
  environment text        NOT NULL,
  store_id    text        NOT NULL,
  order_id    text        NOT NULL,
  status      text        NOT NULL,
  open        boolean     NOT NULL,
  created_at  timestamptz NOT NULL
);
CREATE INDEX tickets_by_status ON tickets (environment, store_id, status, created_at DESC, id);
CREATE INDEX tickets_open ON tickets (environment, id) WHERE open;

CREATE TABLE refunds (
  id          text        PRIMARY KEY,
  environment text        NOT NULL,
  store_id    text        NOT NULL,
  order_id    text        NOT NULL,
  status      text        NOT NULL,
  created_at  timestamptz NOT NULL
);
CREATE INDEX refunds_by_status ON refunds (environment, store_id, status, created_at DESC, id);

CREATE TABLE session_tokens (
  environment text        NOT NULL,
  id          text        NOT NULL,
  last_used   timestamptz,
  spent       boolean     NOT NULL,
  expires_at  timestamptz NOT NULL,
  PRIMARY KEY (environment, id)
);
CREATE INDEX session_tokens_expired ON session_tokens (expires_at);

CREATE TABLE signing_keys (
  environment text        NOT NULL,
  id          text        NOT NULL,
  created_at  timestamptz NOT NULL,
  record      json        NOT NULL,
  PRIMARY KEY (environment, id)
);

CREATE TABLE idempotent_answers (
  environment text        NOT NULL,
  hash        text        NOT NULL,
  expires_at  timestamptz NOT NULL,
  record      json        NOT NULL,
  PRIMARY KEY (environment, hash)
);
CREATE INDEX idempotent_answers_expired ON idempotent_answers (expires_at);

CREATE TABLE provider_events (
  environment text        NOT NULL,
  provider    text        NOT NULL,
  id          text        NOT NULL,
  expires_at  timestamptz NOT NULL,
  PRIMARY KEY (environment, provider, id)
);
CREATE INDEX provider_events_expired ON provider_events (expires_at);

CREATE TABLE quarantine (
  environment text        NOT NULL,
  provider    text        NOT NULL,
  event_id    text        NOT NULL,
  handled_at  timestamptz,
  record      json        NOT NULL,
  PRIMARY KEY (environment, provider, event_id)
);

-- Facts that are to be dispatched. See outbox.go for seq.
CREATE TABLE outbox (
  seq      bigint PRIMARY KEY,
  order_id text   NOT NULL,
  record   json   NOT NULL
);
CREATE INDEX outbox_by_order ON outbox (order_id, seq);

CREATE TABLE documents (
  token       text        PRIMARY KEY,
  environment text        NOT NULL,
  store_id    text        NOT NULL,
  kind        text        NOT NULL,
  year        bigint      NOT NULL,
  number      bigint      NOT NULL,
  order_id    text        NOT NULL,
  event_id    text        NOT NULL,
  currency    text        NOT NULL,
  subtotal    bigint      NOT NULL,
  tax         bigint      NOT NULL,
  total       bigint      NOT NULL,
  issued_at   timestamptz NOT NULL,
  record      json        NOT NULL,
  UNIQUE (environment, store_id, kind, year, number),
  UNIQUE (environment, order_id, event_id)
);

CREATE TABLE mails (
  token       text        PRIMARY KEY,
  environment text        NOT NULL,
  store_id    text        NOT NULL,
  state       text        NOT NULL,
  due_at      timestamptz,
  kept_until  timestamptz,
  version     bigint      NOT NULL,
  record      json        NOT NULL
);
CREATE INDEX mails_due ON mails (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX mails_expired ON mails (kept_until) WHERE kept_until IS NOT NULL;

CREATE TABLE vat_checks (
  environment text        NOT NULL,
  store_id    text        NOT NULL,
  order_id    text        NOT NULL,
  state       text        NOT NULL,
  due_at      timestamptz,
  version     bigint      NOT NULL,
  record      json        NOT NULL,
  PRIMARY KEY (environment, store_id, order_id)
);
CREATE INDEX vat_checks_due ON vat_checks (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX vat_checks_to_review ON vat_checks (environment, order_id) WHERE state IN ('invalid', 'failed');

-- The endpoints of a store are one record; endpoints has one row for each of them.
CREATE TABLE endpoint_lists (
  environment text   NOT NULL,
  store_id    text   NOT NULL,
  version     bigint NOT NULL,
  record      json   NOT NULL,
  PRIMARY KEY (environment, store_id)
);

CREATE TABLE endpoints (
  environment text NOT NULL,
  id          text NOT NULL,
  store_id    text NOT NULL,
  url         text NOT NULL,
  PRIMARY KEY (environment, id)
);
CREATE INDEX endpoints_by_store ON endpoints (environment, store_id);

CREATE TABLE deliveries (
  id          text        PRIMARY KEY,
  environment text        NOT NULL,
  store_id    text        NOT NULL,
  endpoint_id text        NOT NULL,
  order_id    text,
  event_type  text        NOT NULL,
  state       text        NOT NULL,
  created_at  timestamptz NOT NULL,
  due_at      timestamptz,
  kept_until  timestamptz,
  version     bigint      NOT NULL,
  record      json        NOT NULL
);
CREATE INDEX deliveries_by_store ON deliveries (environment, store_id, id DESC);
CREATE INDEX deliveries_by_state ON deliveries (environment, state, id);
CREATE INDEX deliveries_due ON deliveries (environment, endpoint_id, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX deliveries_expired ON deliveries (kept_until) WHERE kept_until IS NOT NULL;

-- +goose Down
DROP TABLE settings, merchants, stores, slugs, origins, products, product_versions, sessions, orders, payments, tickets, refunds,
  session_tokens, signing_keys, idempotent_answers, provider_events, quarantine, outbox, documents, mails, vat_checks, endpoint_lists, endpoints,
  deliveries;
