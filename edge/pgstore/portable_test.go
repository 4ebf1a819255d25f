package pgstore_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// unportable are constructs that an engine with PostgreSQL's protocol lacks, accepts without an effect, or makes slow, each with SQL
// that has it. README.md says what each engine supports.
var unportable = []struct{ construct, pattern, sample string }{
	{"advisory lock", `\bpg_(try_)?advisory_`, "SELECT pg_advisory_xact_lock(1)"},
	{"LISTEN", `^\s*(UN)?LISTEN\b`, "LISTEN facts"},
	{"NOTIFY", `\bNOTIFY\s+\w|\bpg_notify\b`, "SELECT pg_notify('facts', '')"},
	{"SKIP LOCKED", `\bSKIP\s+LOCKED\b`, "SELECT id FROM orders LIMIT 1 FOR UPDATE SKIP LOCKED"},
	{"NOWAIT", `\bNOWAIT\b`, "SELECT id FROM orders FOR UPDATE NOWAIT"},
	{"row lock", `\bFOR\s+(NO\s+KEY\s+)?UPDATE\b|\bFOR\s+(KEY\s+)?SHARE\b`, "SELECT id FROM orders WHERE id = $1 FOR NO KEY UPDATE"},
	{"LOCK TABLE", `^\s*LOCK\b`, "LOCK TABLE orders IN EXCLUSIVE MODE"},
	{"sequence", `\bSEQUENCE\b|\b(next|curr|set)val\s*\(`, "SELECT nextval('orders_id')"},
	{"serial", `\b(small|big)?serial\d?\b`, "CREATE TABLE a (id bigserial PRIMARY KEY)"},
	{"identity", `\bAS\s+IDENTITY\b`, "CREATE TABLE a (id bigint GENERATED ALWAYS AS IDENTITY)"},
	{"trigger", `\bTRIGGER\b`, "CREATE TRIGGER a AFTER INSERT ON orders EXECUTE FUNCTION b()"},
	{"function", `\bCREATE\s+(OR\s+REPLACE\s+)?(FUNCTION|PROCEDURE)\b|^\s*DO\b`, "DO $$ BEGIN NULL; END $$"},
	{"rule", `\bCREATE\s+(OR\s+REPLACE\s+)?RULE\b`, "CREATE RULE a AS ON INSERT TO orders DO NOTHING"},
	{"domain", `\bDOMAIN\b`, "CREATE DOMAIN currency AS text"},
	{"type of its own", `\bCREATE\s+TYPE\b`, "CREATE TYPE state AS ENUM ('open')"},
	{"extension", `\bEXTENSION\b`, "CREATE EXTENSION pgcrypto"},
	{"system column", `\b(ctid|xmin|xmax|cmin|cmax|tableoid)\b`, "SELECT xmin FROM orders"},
	{"ON CONFLICT ON CONSTRAINT", `\bON\s+CONSTRAINT\b`, "INSERT INTO a VALUES (1) ON CONFLICT ON CONSTRAINT a_pkey DO NOTHING"},
	{"exclusion constraint", `\bEXCLUDE\b`, "CREATE TABLE a (during tstzrange, EXCLUDE USING gist (during WITH &&))"},
	{"deferred constraint", `\bDEFERRABLE\b|\bDEFERRED\b`, "ALTER TABLE a ADD UNIQUE (b) DEFERRABLE"},
	{"temporary table", `\bTEMP(ORARY)?\s+TABLE\b`, "CREATE TEMP TABLE a (id text)"},
	{"unlogged table", `\bUNLOGGED\b`, "CREATE UNLOGGED TABLE a (id text)"},
	{"table inheritance", `\bINHERITS\b`, "CREATE TABLE a () INHERITS (orders)"},
	{"range or geometric type", `\b(int4|int8|num|ts|tstz|date)(multi)?range\b|\b(point|polygon|circle)\s`, "CREATE TABLE a (during tstzrange)"},
	{"XML or money type", `\b(xml|money)\b`, "CREATE TABLE a (price money)"},
	{"array column", `\w+\[\]\s+(NOT\s+NULL|DEFAULT|PRIMARY)`, "CREATE TABLE a (tags text[] NOT NULL)"},
	{"narrow integer", `\b(smallint|integer|int[24]?)\b`, "CREATE TABLE a (n integer)"}, // CockroachDB's integer has 64 bits
	{"index method", `\bUSING\s+(gist|gin|brin|hash|spgist)\b`, "CREATE INDEX a ON orders USING gin (record)"},
	{"included column", `\bINCLUDE\s*\(`, "CREATE INDEX a ON orders (id) INCLUDE (state)"},
	{"foreign key", `\bREFERENCES\b|\bFOREIGN\s+KEY\b`, "CREATE TABLE a (order_id text REFERENCES orders)"},
	{"MERGE", `^\s*MERGE\s+INTO\b`, "MERGE INTO orders USING a ON true WHEN MATCHED THEN DO NOTHING"},
	{"COPY", `^\s*COPY\b`, "COPY orders FROM STDIN"},
	{"cursor", `^\s*DECLARE\b|\bWITH\s+HOLD\b`, "DECLARE a CURSOR FOR SELECT 1"},
	{"savepoint", `\bSAVEPOINT\b`, "SAVEPOINT a"},
	{"prepared transaction", `\bPREPARE\s+TRANSACTION\b`, "PREPARE TRANSACTION 'a'"},
	{"session setting", `^\s*SET\s+(SESSION\s+)?\w+\s*(=|TO)`, "SET statement_timeout = 100"}, // a pooler gives it to others
	{"function of the transaction's start", `\b(now\s*\(|current_timestamp\b|transaction_timestamp\b)`, "SELECT now()"},
	{"formatted time", `\bto_char\s*\(`, "SELECT to_char(paid_at, 'YYYY')"}, // older versions of CockroachDB lack it
	{"TRUNCATE", `^\s*TRUNCATE\b`, "TRUNCATE orders"},
}

// refused is the construct that makes SQL unportable, "" if there is none.
func refused(sql string) string {
	for i, u := range unportable {
		if patterns[i].MatchString(sql) {
			return u.construct
		}
	}
	return ""
}

var patterns = func() (all []*regexp.Regexp) {
	for _, u := range unportable {
		all = append(all, regexp.MustCompile(`(?im)`+u.pattern))
	}
	return all
}()

// TestPortable reads all SQL of the package and refuses what not every engine has. [TestStore] does the same with what is sent.
func TestPortable(t *testing.T) {
	for i, u := range unportable {
		if !patterns[i].MatchString(u.sample) {
			t.Errorf("%q does not show a %s", u.sample, u.construct)
		}
	}
	sql := readSQL(t)
	if len(sql) < 80 {
		t.Fatalf("%d pieces of SQL only: the test no longer finds them", len(sql))
	}
	for _, text := range sql {
		if construct := refused(text); construct != "" {
			t.Errorf("%s in: %s", construct, text)
		}
	}
}

var (
	keywords = regexp.MustCompile(`\b(SELECT|INSERT|UPDATE|DELETE|CREATE|ALTER|DROP|WHERE|FROM|ORDER BY|GROUP BY|VALUES|CONFLICT|BEGIN|COMMIT|LIMIT|JOIN)\b`)
	comments = regexp.MustCompile(`(?m)--.*$`)
)

// readSQL returns the statements of the migrations and the string literals of the package with SQL.
func readSQL(t *testing.T) (all []string) {
	t.Helper()
	migrations, _ := filepath.Glob("migrations/*.sql")
	for _, name := range migrations {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for statement := range strings.SplitSeq(comments.ReplaceAllString(string(text), ""), ";") {
			all = append(all, statement)
		}
	}
	files, _ := filepath.Glob("*.go")
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			literal, ok := n.(*ast.BasicLit)
			if !ok || literal.Kind != token.STRING {
				return true
			}
			if text, err := strconv.Unquote(literal.Value); err == nil && keywords.MatchString(text) {
				all = append(all, text)
			}
			return true
		})
	}
	return all
}
