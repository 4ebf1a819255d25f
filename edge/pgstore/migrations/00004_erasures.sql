-- +goose NO TRANSACTION
-- +goose Up

-- Requests of buyers to be forgotten that were carried out.
CREATE TABLE erasures (
  id     text        PRIMARY KEY,
  at     timestamptz NOT NULL,
  record json        NOT NULL
);

-- +goose Down
DROP TABLE erasures;
