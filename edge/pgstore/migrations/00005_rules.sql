-- +goose NO TRANSACTION
-- +goose Up

-- The rules of stores: which versions there are and which are published, and what each version runs.
CREATE TABLE rules (
  store_id text   PRIMARY KEY,
  version  bigint NOT NULL,
  record   json   NOT NULL
);

CREATE TABLE rule_contents (
  store_id text   NOT NULL,
  number   bigint NOT NULL,
  record   json   NOT NULL,
  PRIMARY KEY (store_id, number)
);

-- +goose Down
DROP TABLE rules, rule_contents;
