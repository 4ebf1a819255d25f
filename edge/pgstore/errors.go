package pgstore

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/crepe-checkout/crepe/core/problem"
)

// ErrUnavailable: the database cannot be used for the moment. A write had no effect.
var ErrUnavailable = problem.New(problem.Unavailable, "storage-unavailable", "", "Nothing can be stored at the moment, please retry")

// ErrOutcomeUnknown: the connection broke while a transaction was committed. It may have had its effect. The caller reads the
// record again, or repeats the request, which compares versions.
var ErrOutcomeUnknown = problem.New(problem.Unavailable, "storage-outcome-unknown", "", "It is unknown whether the request was stored, please retry")

// outcomeUnknown is an ErrOutcomeUnknown with its cause.
type outcomeUnknown struct{ cause error }

func (e *outcomeUnknown) Error() string {
	return "pgstore: the commit was not answered: " + e.cause.Error()
}
func (e *outcomeUnknown) Unwrap() []error { return []error{ErrOutcomeUnknown, e.cause} }

// The SQLSTATE codes that decide what happens, see "PostgreSQL Error Codes" in PostgreSQL's manual.
const (
	serializationFailure = "40001"
	completionUnknown    = "40003"
	deadlock             = "40P01"
	readOnly             = "25006" // a standby
	queryCanceled        = "57014" // statement_timeout
	uniqueViolation      = "23505"
	lockNotAvailable     = "55P03"
	tooManyConnections   = "53300"
)

// unavailableClasses are the classes of codes of a server that cannot serve for the moment: connection exception, insufficient
// resources, operator intervention, system error.
var unavailableClasses = []string{"08", "53", "57", "58"}

// concurrent reports whether the database has rolled a transaction back because of another one. Trying again may succeed.
func concurrent(err error) bool {
	answer, ok := errors.AsType[*pgconn.PgError](err)
	if !ok || errors.Is(err, ErrOutcomeUnknown) {
		return false
	}
	switch answer.Code {
	case serializationFailure, deadlock:
		return true
	case uniqueViolation:
		return answer.TableName == "outbox" // another fact has the number: see outbox.go
	}
	return false
}

// unavailable wraps the error of a database that cannot serve for the moment in [ErrUnavailable], and logs its cause. It returns any
// other error as it is.
func (db *DB) unavailable(err error) error {
	if err == nil || errors.Is(err, ErrOutcomeUnknown) || !passing(err) {
		return err
	}
	db.failures.Inc("unavailable")
	db.log.Warn("the database is unavailable", "error", err)
	return fmt.Errorf("%w: %w", ErrUnavailable, err)
}

// passing reports whether an error is one of a server that cannot serve for the moment: of the connection, or of a class above.
func passing(err error) bool {
	if answer, ok := errors.AsType[*pgconn.PgError](err); ok {
		for _, class := range unavailableClasses {
			if strings.HasPrefix(answer.Code, class) {
				return true
			}
		}
		return answer.Code == readOnly || answer.Code == lockNotAvailable || concurrent(err)
	}
	_, connecting := errors.AsType[*pgconn.ConnectError](err)
	return connecting || errors.Is(err, errGroup) || pgconn.SafeToRetry(err) || pgconn.Timeout(err) || errors.Is(err, context.DeadlineExceeded) || broken(err)
}

// rolledBack reports whether the answer to a COMMIT says that the transaction had no effect. The last words of a server that ends
// the connection, and those of a connection pooler that has lost its server, do not say so.
func rolledBack(err error) bool {
	answer, ok := errors.AsType[*pgconn.PgError](err)
	return ok && severity(answer) == "ERROR" && answer.Code != completionUnknown &&
		!strings.HasPrefix(answer.Code, "08")
}

// severity is "ERROR", or "FATAL" or "PANIC" if the answer ends the connection.
func severity(answer *pgconn.PgError) string {
	return cmp.Or(answer.SeverityUnlocalized, answer.Severity)
}

// unusable says what to do about the error of the first use of a database.
func unusable(err error) error {
	if errors.Is(err, ErrReadOnly) {
		return ErrReadOnly
	}
	remedy := "is it running?"
	if answer, ok := errors.AsType[*pgconn.PgError](err); ok {
		switch {
		case strings.HasPrefix(answer.Code, "28"):
			remedy = "check the user of the URL, its password in CREPE_STORE_PASSWORD, PGPASSWORD, the file of PGPASSFILE or CREPE_STORE, and pg_hba.conf"
		case answer.Code == "3D000":
			remedy = "create it with: CREATE DATABASE crepe TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'"
		case answer.Code == tooManyConnections:
			remedy = "raise the server's max_connections or the user's CONNECTION LIMIT, or lower pool_max_conns of the other programs; an opening store needs two"
		case answer.Code == "42501":
			remedy = "grant the user the rights on its tables"
		default:
			remedy = "see the database's log"
		}
	} else if _, connecting := errors.AsType[*pgconn.ConnectError](err); connecting {
		remedy = "check the host and port of the URL, and that the server runs"
	}
	return fmt.Errorf("the database cannot be used; %s: %w", remedy, err)
}

// undefinedTable reports whether a statement names a table that does not exist.
func undefinedTable(err error) bool {
	answer, ok := errors.AsType[*pgconn.PgError](err)
	return ok && answer.Code == "42P01"
}
