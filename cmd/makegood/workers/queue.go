// Package workers lets processes on many machines share one backfill. River, on
// the PostgreSQL database that the ledger is in, hands out the jobs; which event
// goes, and by whom, the ledger's claim decides, whatever the queue does.
//
// A slice of the period is planned by one job, which reads its sources once for
// all destinations. Its plan is cut into parts, each of which is sent by a job of
// its own. When all of them have ended, the slice's job sums up where everything
// is, as one run.
package workers

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"

	"makegood/reconcile/ledger"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Bounds of a connection.
const (
	connectTimeout   = 10 * time.Second
	statementTimeout = time.Minute
	idleTimeout      = 20 * time.Second // of a transaction: its process is frozen, and others wait
	poolSize         = 6
	unusedFor        = time.Minute // then a connection is given back: a server has few
)

// Queue is the queue that lies beside a ledger in PostgreSQL, in a schema of its
// own. It is safe for concurrent use.
type Queue struct {
	pool   *pgxpool.Pool
	schema string
	log    *slog.Logger
	river  *slog.Logger          // River's
	jobs   *river.Client[pgx.Tx] // only puts jobs in
}

// Open opens the queue of a ledger, and makes what is absent of it. A ledger in a
// file has none: ledger.ErrNotShared. The caller closes it.
func Open(ctx context.Context, place string, log *slog.Logger) (*Queue, error) {
	q, err := connect(ctx, place, log)
	if err != nil {
		return nil, fmt.Errorf("open the queue: %w", err)
	}
	if err = q.migrate(ctx); err == nil {
		q.jobs, err = river.NewClient(riverpgxv5.New(q.pool), &river.Config{Schema: q.schema, Logger: q.river})
	}
	if err != nil {
		q.Close()
		return nil, fmt.Errorf("open the queue: %w", err)
	}
	return q, nil
}

// Look opens the queue of a ledger to look at it; nil where there is none.
// Nothing is made or changed.
func Look(ctx context.Context, place string, log *slog.Logger) (*Queue, error) {
	q, err := connect(ctx, place, log)
	if errors.Is(err, ledger.ErrNotShared) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("look at the queue: %w", err)
	}
	var there bool
	if err := q.pool.QueryRow(ctx, `SELECT to_regclass('slices') IS NOT NULL`).Scan(&there); err != nil || !there {
		q.Close()
		return nil, err
	}
	return q, nil
}

func connect(ctx context.Context, place string, log *slog.Logger) (*Queue, error) {
	schema, err := ledger.SchemaOf(place)
	if err != nil {
		return nil, err
	}
	config, err := pgxpool.ParseConfig(place)
	if err != nil {
		return nil, errors.New("read the URL of the ledger: it must be postgres://user@host:port/database") // the error may hold the password
	}
	q := &Queue{schema: schema + "_queue", log: log, river: slog.New(warnings{log.Handler()})}
	c := config.ConnConfig
	c.ConnectTimeout = connectTimeout
	c.RuntimeParams["search_path"] = pgx.Identifier{q.schema}.Sanitize()
	c.RuntimeParams["statement_timeout"] = fmt.Sprint(statementTimeout.Milliseconds())
	c.RuntimeParams["idle_in_transaction_session_timeout"] = fmt.Sprint(idleTimeout.Milliseconds())
	c.RuntimeParams["application_name"] = "makegood queue"
	config.MaxConns, config.MaxConnIdleTime = poolSize, unusedFor
	q.pool, err = pgxpool.NewWithConfig(ctx, config)
	return q, err
}

// Close closes the queue.
func (q *Queue) Close() { q.pool.Close() }

// migrate makes the tables: River's by its own migrations, ours by goose. One
// process does so at a time.
func (q *Queue) migrate(ctx context.Context) error {
	return pgx.BeginFunc(ctx, q.pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock($1)`, q.key("migrate")); err != nil {
			return fmt.Errorf("wait for another migration: %w", err)
		}
		if _, err := q.pool.Exec(ctx, "CREATE SCHEMA IF NOT EXISTS "+pgx.Identifier{q.schema}.Sanitize()); err != nil {
			return err
		}
		migrator, err := rivermigrate.New(riverpgxv5.New(q.pool), &rivermigrate.Config{Schema: q.schema, Logger: q.river})
		if err == nil {
			_, err = migrator.Migrate(ctx, rivermigrate.DirectionUp, nil)
		}
		if err != nil {
			return fmt.Errorf("migrate the queue's tables: %w", err)
		}
		return q.migrateOwn(ctx)
	})
}

func (q *Queue) migrateOwn(ctx context.Context) error {
	folder, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	db := stdlib.OpenDBFromPool(q.pool)
	provider, err := goose.NewProvider(goose.DialectPostgres, db, folder, goose.WithDisableGlobalRegistry(true))
	if err == nil {
		_, err = provider.Up(ctx)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("migrate: %w", err), db.Close())
	}
	return db.Close()
}

// key is the number of an advisory lock, which all databases of a server have to
// themselves: it is told apart by the schema.
func (q *Queue) key(what string) int64 {
	sum := sha256.Sum256([]byte("makegood\x00" + q.schema + "\x00" + what))
	return int64(binary.BigEndian.Uint64(sum[:8]))
}

// warnings is the log of River, of which people read what is wrong alone.
type warnings struct{ slog.Handler }

// Enabled implements slog.Handler.
func (w warnings) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelWarn && w.Handler.Enabled(ctx, level)
}

// WithAttrs implements slog.Handler.
func (w warnings) WithAttrs(attrs []slog.Attr) slog.Handler {
	return warnings{w.Handler.WithAttrs(attrs)}
}

// WithGroup implements slog.Handler.
func (w warnings) WithGroup(name string) slog.Handler { return warnings{w.Handler.WithGroup(name)} }
