-- +goose NO TRANSACTION
-- +goose Up

-- Which server does a task at the moment. holders counts how often the task has changed hands.
CREATE TABLE leases (
  task       text        PRIMARY KEY,
  holder     text        NOT NULL,
  holders    bigint      NOT NULL,
  held_until timestamptz NOT NULL
);

-- +goose Down
DROP TABLE leases;
